/// The second bytes of markers (ITU-T T.81 table B.1, T.87 annex C).
enum JPEGMarker {
    static let startOfImage = 0xD8
    static let endOfImage = 0xD9
    static let startOfScan = 0xDA
    static let huffmanTables = 0xC4
    static let quantizationTables = 0xDB
    static let restartInterval = 0xDD
    static let app0 = 0xE0
    static let app8 = 0xE8
    static let app14 = 0xEE
    static let jpegLSPreset = 0xF8
    static let jpegLSFrame = 0xF7
    static let losslessFrame = 0xC3
    /// Without a segment behind them.
    static func isAlone(_ marker: Int) -> Bool { marker == 0x01 || (0xD0...0xD9).contains(marker) }
    /// Start of a frame: all of C0 to CF except for DHT, JPG and DAC.
    static func isFrame(_ marker: Int) -> Bool {
        (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker) || marker == jpegLSFrame
    }
}
