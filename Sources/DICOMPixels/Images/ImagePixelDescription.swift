public import DICOMCore

/// The attributes that say how pixel data is laid out (PS3.3 C.7.6.3, C.7.6.6).
public struct ImagePixelDescription: Hashable, Sendable {
    public var rows: Int
    public var columns: Int
    public var samplesPerPixel: Int
    public var bitsAllocated: Int
    /// `bitsAllocated` when absent.
    public var bitsStored: Int
    /// `bitsStored - 1` when absent.
    public var highBit: Int
    /// Pixel Representation; absent means unsigned.
    public var isSigned: Bool
    /// 1 when each sample has a plane of its own.
    public var planarConfiguration: Int
    public var photometricInterpretation: PhotometricInterpretation
    /// Number of Frames; 1 when absent, zero or unreadable.
    public var numberOfFrames: Int

    /// `nil` when a number is beyond what a frame can have.
    public init?(
        rows: Int, columns: Int, samplesPerPixel: Int, bitsAllocated: Int, bitsStored: Int, highBit: Int,
        isSigned: Bool,
        planarConfiguration: Int, photometricInterpretation: PhotometricInterpretation, numberOfFrames: Int = 1
    ) {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), (1...0xFFFF).contains(samplesPerPixel),
            (1...64).contains(bitsAllocated), numberOfFrames > 0
        else { return nil }
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.bitsAllocated = bitsAllocated
        self.bitsStored = bitsStored
        self.highBit = highBit
        self.isSigned = isSigned
        self.planarConfiguration = planarConfiguration
        self.photometricInterpretation = photometricInterpretation
        self.numberOfFrames = numberOfFrames
    }

    /// `nil` when Rows, Columns, Samples per Pixel or Bits Allocated is missing, zero or beyond what a frame can have:
    /// then there are no frames to speak of.
    public init?(_ dataSet: DataSet) {
        guard let rows = dataSet.count(Tag(0x0028, 0x0010)), rows > 0, rows <= 0xFFFF,
            let columns = dataSet.count(Tag(0x0028, 0x0011)), columns > 0, columns <= 0xFFFF,
            let samples = dataSet.count(Tag(0x0028, 0x0002)), samples > 0, samples <= 0xFFFF,
            let allocated = dataSet.count(Tag(0x0028, 0x0100)) ?? dataSet.floatBits, allocated > 0, allocated <= 64
        else { return nil }
        self.rows = rows
        self.columns = columns
        samplesPerPixel = samples
        bitsAllocated = allocated
        bitsStored = dataSet.count(Tag(0x0028, 0x0101)) ?? allocated
        highBit = dataSet.count(Tag(0x0028, 0x0102)) ?? bitsStored - 1
        isSigned = dataSet.count(Tag(0x0028, 0x0103)) == 1
        planarConfiguration = dataSet.count(Tag(0x0028, 0x0006)) ?? 0
        photometricInterpretation = PhotometricInterpretation(rawValue: dataSet.string(for: Tag(0x0028, 0x0004)) ?? "")
        numberOfFrames = max(1, dataSet.count(Tag(0x0028, 0x0008)) ?? 1)
    }

    /// Bits of one frame that is not compressed. `nil` when they are more than can be counted.
    public var frameBitCount: Int? {
        let samples =
            samplesPerPixel == 3 && photometricInterpretation.isSubsampledHorizontally ? 2 : samplesPerPixel
        var count = rows
        for factor in [columns, samples, bitsAllocated] {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// Bytes of one frame that is not compressed, on a byte boundary.
    public var frameByteCount: Int? { frameBitCount.map { $0 / 8 + ($0 % 8 == 0 ? 0 : 1) } }
}

extension DataSet {
    /// The first value where it is a number that is not negative.
    fileprivate func count(_ tag: Tag) -> Int? {
        int(for: tag).flatMap { (0...Int(Int32.max)).contains($0) ? $0 : nil }
    }

    /// What Float and Double Float Pixel Data imply.
    fileprivate var floatBits: Int? {
        self[Tag(0x7FE0, 0x0008)] != nil ? 32 : self[Tag(0x7FE0, 0x0009)] != nil ? 64 : nil
    }
}
