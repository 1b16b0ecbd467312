public import DICOMCore

/// Where each frame is in the stream that the data set was read from (PS3.5 8.1.1, A.4).
public struct FrameLayout: Hashable, Sendable {
    /// Frames that follow each other without padding.
    public struct Native: Hashable, Sendable {
        /// Where the value starts.
        public var offset: Int
        /// Bytes of the value.
        public var length: Int
        public var bitsPerFrame: Int
        public var frames: Int
        /// Bytes whose order has to be reversed together; 1 where the stream is little endian.
        public var wordSize: Int

        public init(offset: Int, length: Int, bitsPerFrame: Int, frames: Int, wordSize: Int = 1) {
            self.offset = offset
            self.length = length
            self.bitsPerFrame = bitsPerFrame
            self.frames = frames
            self.wordSize = wordSize
        }
    }

    public enum Storage: Hashable, Sendable {
        case native(Native)
        /// The fragments of each frame.
        case encapsulated([[Range<Int>]])
    }

    public let storage: Storage

    public init(_ storage: Storage) {
        self.storage = storage
    }

    /// `nil` when there are no frames that could be served: no pixel data in the stream, no size, or pixels of a number
    /// of bits that is not 1, 8, 16, 32 or 64. Only the data set's own pixel data counts, never that of an icon.
    public init?(dataSet: DataSet, transferSyntax: TransferSyntax?) {
        guard let image = ImagePixelDescription(dataSet) else { return nil }
        let candidates = [Tag(0x7FE0, 0x0010), Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)]
        guard let element = candidates.lazy.compactMap({ dataSet[$0] }).first(where: { !$0.isEmpty }) else {
            return nil
        }
        switch element.value {
        case .bulk(.range(let range)):
            let bits = element.tag.element == 0x0008 ? 32 : element.tag.element == 0x0009 ? 64 : image.bitsAllocated
            guard [1, 8, 16, 32, 64].contains(bits), bits == image.bitsAllocated, let size = image.frameBitCount else {
                return nil
            }
            let (available, overflow) = range.count.multipliedReportingOverflow(by: 8)
            let frames = min(image.numberOfFrames, overflow ? .max : available / size)
            guard frames > 0 else { return nil }
            storage = .native(
                Native(
                    offset: range.lowerBound, length: range.count, bitsPerFrame: size, frames: frames,
                    wordSize: Self.wordSize(of: element.vr, bits: bits, transferSyntax)))
        case .fragments(let value):
            let index = FragmentIndex(
                value, numberOfFrames: image.numberOfFrames, transferSyntax: transferSyntax,
                extendedOffsets: dataSet.longs(Tag(0x7FE0, 0x0001)), extendedLengths: dataSet.longs(Tag(0x7FE0, 0x0002))
            )
            guard !index.frames.isEmpty else { return nil }
            storage = .encapsulated(index.frames)
        case .bytes, .items, .bulk(.uri): return nil
        }
    }

    /// Frames that are there; Number of Frames may say otherwise.
    public var frameCount: Int {
        switch storage {
        case .native(let native): native.frames
        case .encapsulated(let frames): frames.count
        }
    }

    /// The bytes to read for a frame, counted from 1: one range, or one for each fragment. Where `repacker(forFrame:)`
    /// has work to do, they are all bytes that have a bit of the frame.
    public func byteRanges(ofFrame number: Int) -> [Range<Int>]? {
        guard number >= 1, number <= frameCount else { return nil }
        switch storage {
        case .native(let native): return [native.words(ofFrame: number)]
        case .encapsulated(let frames): return frames[number - 1]
        }
    }

    /// What turns the bytes read for a frame into the frame; `nil` when they are it already.
    public func repacker(forFrame number: Int) -> FrameRepacker? {
        guard case .native(let native) = storage, number >= 1, number <= native.frames else { return nil }
        let bits = native.bits(ofFrame: number)
        let read = native.words(ofFrame: number)
        let shift = bits.lowerBound - (read.lowerBound - native.offset) * 8
        guard native.wordSize > 1 || shift > 0 || bits.count % 8 != 0 || read.count * 8 != bits.count else {
            return nil
        }
        return FrameRepacker(wordSize: native.wordSize, bitOffset: shift, bitCount: bits.count)
    }

    /// Bytes of a frame as it is served.
    public func byteCount(ofFrame number: Int) -> Int? {
        guard number >= 1, number <= frameCount else { return nil }
        switch storage {
        case .native(let native): return native.bitsPerFrame / 8 + (native.bitsPerFrame % 8 == 0 ? 0 : 1)
        case .encapsulated(let frames): return frames[number - 1].reduce(0) { $0 + $1.count }
        }
    }

    /// Words that big endian streams have turned around. 8-bit and 1-bit pixels are words of two bytes in OW.
    private static func wordSize(of vr: VR, bits: Int, _ transferSyntax: TransferSyntax?) -> Int {
        let isBigEndian = transferSyntax?.isBigEndian == true || transferSyntax?.uid == "1.2.840.113619.5.2"
        guard isBigEndian else { return 1 }
        return bits > 8 ? bits / 8 : vr == .OW ? 2 : 1
    }
}

extension FrameLayout.Native {
    /// Of a frame that is there, from the start of the value.
    fileprivate func bits(ofFrame number: Int) -> Range<Int> {
        (number - 1) * bitsPerFrame..<number * bitsPerFrame
    }

    /// The whole words around the frame.
    fileprivate func words(ofFrame number: Int) -> Range<Int> {
        let bits = bits(ofFrame: number)
        let size = max(1, wordSize)
        let start = bits.lowerBound / 8 / size * size
        let end = ((bits.upperBound + 7) / 8 + size - 1) / size * size
        return offset + start..<offset + min(end, length)
    }
}

extension DataSet {
    /// The 64-bit numbers of an offset table (PS3.3 C.7.6.3.1.8); none when they are not in memory.
    fileprivate func longs(_ tag: Tag) -> [UInt64] {
        guard let bytes = self[tag]?.bytes else { return [] }
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
    }
}
