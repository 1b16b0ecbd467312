import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore
import PixelWorkers

/// A stored instance as a Part 10 file whose frames are decoded, or compressed otherwise without loss (PS3.18 8.7.3).
///
/// Frame by frame, a few at a time: memory does not depend on how many there are. What decoding changes, such as the
/// photometric interpretation, the data set says.
struct TranscodedFile: Sendable {
    let instance: StoredInstance
    let target: TransferSyntax
    let access: PixelAccess

    /// The file piece by piece. Its first frame is converted at once: what cannot be done at all is known before
    /// anything is sent.
    func pieces() async throws -> TranscodedPieces {
        guard let layout = instance.frames, layout.frameCount > 0 else {
            throw Problem(.notAcceptable, "The instance has no frames that could be converted.")
        }
        let head = try await access.head(of: instance)
        let (instance, target, access) = (instance, target, access)
        let frames = MadeAhead(layout.frameCount, ahead: access.workers.parallelism) { index in
            try await StoredFrame(instance: instance, layout: layout, number: index + 1).converted(
                to: target, by: access)
        }
        guard let first = try await frames.next() else {
            throw Problem(.notAcceptable, "The instance has no frames that could be converted.")
        }
        return try TranscodedPieces(self, layout, head, first: first, frames)
    }

    fileprivate var meta: FileMetaInformation {
        FileMetaInformation(
            mediaStorageSOPClassUID: instance.identity.sopClass.string,
            mediaStorageSOPInstanceUID: instance.identity.instance.string, transferSyntaxUID: target.uid)
    }

    /// The data set in front of its pixel data, and the beginning of that.
    fileprivate func beginDataSet(
        _ head: InstanceHead, _ first: DecodedFrame, _ pixels: inout PixelDataWriting
    ) throws -> ByteBuffer {
        var dataSet = head.dataSet
        for tag in [Tag(0x7FE0, 0x0001), Tag(0x7FE0, 0x0002), Tag(0x7FE0, 0x0010)] { dataSet.remove(tag) }
        let image = first.description
        if dataSet.string(for: .photometricInterpretation) != image.photometricInterpretation.rawValue {
            dataSet.setString(image.photometricInterpretation.rawValue, for: .photometricInterpretation)
        }
        if image.samplesPerPixel > 1 { dataSet.setInt(image.planarConfiguration, for: .planarConfiguration) }
        // Once lossy, always lossy, whatever the codestream is undone to (PS3.3 C.7.6.1.1.5).
        if TransferSyntax(uid: instance.transferSyntaxUID)?.isLossy == true {
            dataSet.setString("01", for: .lossyImageCompression)
        }
        if dataSet.int(for: .bitsAllocated) != image.bitsAllocated {
            dataSet.setInt(image.bitsAllocated, for: .bitsAllocated)
        }
        var bytes: [UInt8] = []
        try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet, into: &bytes)
        try pixels.begin(image, into: &bytes)
        return ByteBuffer(bytes: bytes)
    }

    // MARK: - Behind the pixel data

    private static let tailLimit = 16 << 20

    /// The elements behind the pixel data. Padding, and signatures that do not hold any more, are left out.
    fileprivate func tail(behind layout: FrameLayout) async throws -> ByteBuffer? {
        let stream = StoredStream(instance: instance, blobs: access.blobs)
        guard stream.isPlain, let start = try await end(of: layout, in: stream),
            start + 8 <= instance.length, instance.length - start <= Self.tailLimit
        else { return nil }
        let tail = try await stream.read(start..<instance.length)
        guard let group = tail.getInteger(at: tail.readerIndex, endianness: .little, as: UInt16.self),
            group > 0x7FE0, group < 0xFFFA
        else { return nil }
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID), !syntax.isImplicitVR, !syntax.isBigEndian
        else { throw Problem(.notAcceptable, "The data set goes on behind its pixel data in another encoding.") }
        return tail
    }

    private func end(of layout: FrameLayout, in stream: StoredStream) async throws -> Int? {
        switch layout.storage {
        case .native(let native): return native.offset + native.length
        case .encapsulated(let frames):
            // Ranges may leave padding out: the item headers say where the last one ends (PS3.5 A.4).
            guard let last = frames.last?.last, last.lowerBound >= 8 else { return nil }
            var position = last.lowerBound - 8
            for _ in 0..<16 {
                guard position + 8 <= instance.length else { return nil }
                let header = try await stream.read(position..<position + 8)
                let at = header.readerIndex
                guard let group = header.getInteger(at: at, endianness: .little, as: UInt16.self),
                    let element = header.getInteger(at: at + 2, endianness: .little, as: UInt16.self),
                    let length = header.getInteger(at: at + 4, endianness: .little, as: UInt32.self), group == 0xFFFE
                else { return nil }
                position += 8
                if element == 0xE0DD { return position }
                guard element == 0xE000 else { return nil }
                position += Int(length)
            }
            return nil
        }
    }
}

/// A transcoded file on its way: a few frames are converted at the same time and given one by one.
struct TranscodedPieces: Sendable {
    private let file: TranscodedFile
    private let layout: FrameLayout
    private let frames: MadeAhead<DecodedFrame>
    private var pixels: PixelDataWriting
    private var dataSet: DataSetStage
    /// What can be given.
    private var ready: [ByteBuffer]
    private var isPixelDataEnded = false

    /// Begins with file meta information, the data set in front of the pixel data, and the first frame.
    fileprivate init(
        _ file: TranscodedFile, _ layout: FrameLayout, _ head: InstanceHead, first: DecodedFrame,
        _ following: MadeAhead<DecodedFrame>
    ) throws {
        self.file = file
        self.layout = layout
        frames = following
        pixels = PixelDataWriting(target: file.target, frames: layout.frameCount)
        dataSet = DataSetStage(file.target)
        ready = [ByteBuffer(bytes: file.meta.encoded())]
        let beginning = try file.beginDataSet(head, first, &pixels)
        ready.append(dataSet.coded(beginning))
        try take(first)
    }

    private mutating func take(_ frame: DecodedFrame) throws {
        for piece in try pixels.pieces(of: frame) { ready.append(dataSet.coded(piece)) }
    }

    /// The next piece; `nil` at the end.
    mutating func next() async throws -> ByteBuffer? {
        if ready.isEmpty, !isPixelDataEnded {
            if let frame = try await frames.next() {
                try take(frame)
            } else {
                isPixelDataEnded = true
                ready.append(dataSet.coded(pixels.end()))
                if let tail = try await file.tail(behind: layout) { ready.append(dataSet.coded(tail)) }
                if let end = dataSet.end() { ready.append(end) }
            }
        }
        return ready.isEmpty ? nil : ready.removeFirst()
    }
}

/// The data set's bytes as the transfer syntax codes them: deflated or as they are (PS3.5 A.5).
private struct DataSetStage {
    private let deflater: Deflater?
    private var count = 0

    init(_ target: TransferSyntax) { deflater = target.isDeflated && !target.isEncapsulated ? Deflater(.raw) : nil }

    mutating func coded(_ bytes: ByteBuffer) -> ByteBuffer {
        guard let deflater else { return bytes }
        var result: [UInt8] = []
        bytes.withUnsafeReadableBytes { deflater.receive($0, into: &result) }
        count += result.count
        return ByteBuffer(bytes: result)
    }

    mutating func end() -> ByteBuffer? {
        guard let deflater else { return nil }
        var result: [UInt8] = []
        deflater.finish(into: &result)
        if (count + result.count) & 1 != 0 { result.append(0) }
        return ByteBuffer(bytes: result)
    }
}

/// Puts frames into a Pixel Data element: one behind the other, or each as a fragment (PS3.5 8.2, A.4).
private struct PixelDataWriting {
    let target: TransferSyntax
    let frames: Int
    private var image: ImagePixelDescription?
    private var isOdd = false

    init(target: TransferSyntax, frames: Int) {
        self.target = target
        self.frames = frames
    }

    mutating func begin(_ image: ImagePixelDescription, into bytes: inout [UInt8]) throws {
        self.image = image
        if target.isEncapsulated {
            // An empty offset table: where frames start is not known before they are compressed.
            bytes += [0xE0, 0x7F, 0x10, 0x00] + Array("OB".utf8) + [0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
            bytes += [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]
            return
        }
        guard let bits = image.frameBitCount else { throw Self.tooLong }
        let (all, overflow) = bits.multipliedReportingOverflow(by: frames)
        let length = all / 8 + (all % 8 == 0 ? 0 : 1)
        guard !overflow, bits % 8 == 0 || frames == 1, let field = UInt32(exactly: length + length & 1),
            field < .max
        else { throw Self.tooLong }
        isOdd = length & 1 != 0
        bytes += [0xE0, 0x7F, 0x10, 0x00] + Array((image.bitsAllocated > 8 ? "OW" : "OB").utf8) + [0, 0]
        withUnsafeBytes(of: field.littleEndian) { bytes.append(contentsOf: $0) }
    }

    func pieces(of frame: DecodedFrame) throws -> [ByteBuffer] {
        guard frame.description == image else {
            throw Problem(.damagedPixels, "The frames do not all describe the same kind of image.")
        }
        guard target.isEncapsulated else { return [frame.bytes] }
        let count = frame.bytes.readableBytes
        guard let length = UInt32(exactly: count + count & 1), length < .max else { throw Self.tooLong }
        var header = ByteBuffer(bytes: [0xFE, 0xFF, 0x00, 0xE0])
        header.writeInteger(length, endianness: .little)
        return count & 1 == 0 ? [header, frame.bytes] : [header, frame.bytes, ByteBuffer(bytes: [0])]
    }

    func end() -> ByteBuffer {
        if target.isEncapsulated { return ByteBuffer(bytes: [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]) }
        return ByteBuffer(bytes: isOdd ? [0] : [])
    }

    private static let tooLong = Problem(
        .notAcceptable, "The pixel data would not fit into the length of its element (PS3.18 8.7.3).")
}
