public import DICOMCore

extension GIFAnimation {
    /// How long a frame is shown, in milliseconds: as the data set recommends, else as it was acquired, else a tenth of
    /// a second (PS3.3 C.7.6.5).
    public static func frameTime(of dataSet: DataSet) -> Double {
        func positive(_ value: Double?) -> Double? { value.flatMap { $0.isFinite && $0 > 0 ? $0 : nil } }
        func rate(_ tag: Tag) -> Double? { positive(dataSet.double(for: tag)).map { 1000 / $0 } }
        // The first increment of a vector is zero.
        let increments = dataSet.doubles(for: .frameTimeVector).dropFirst()
        let mean = increments.isEmpty ? nil : increments.reduce(0, +) / Double(increments.count)
        return rate(.recommendedDisplayFrameRate) ?? rate(.recommendedDisplayFrameRateInFloat)
            ?? positive(dataSet.double(for: .frameTime)) ?? rate(.cineRate) ?? positive(mean) ?? 100
    }
}
