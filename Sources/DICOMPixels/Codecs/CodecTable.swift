public import DICOMCore

/// Which codec speaks which transfer syntax (PS3.5 A.4).
///
/// A frame is decoded on the calling thread, which may take tens of milliseconds.
public struct CodecTable: Sendable {
    public var decoders: [TransferSyntax: any FrameDecoder]
    public var encoders: [TransferSyntax: any FrameEncoder]

    public init(
        decoders: [TransferSyntax: any FrameDecoder] = [:], encoders: [TransferSyntax: any FrameEncoder] = [:]
    ) {
        self.decoders = decoders
        self.encoders = encoders
    }

    /// All that this package knows.
    public static let standard = CodecTable(
        decoders: [
            .rleLossless: RLECodec(), .deflatedImageFrame: DeflatedFrameCodec(),
            .encapsulatedUncompressed: UncompressedFrameCodec(),
            .jpegBaseline: JPEGDecoder(), .jpegExtended: JPEGDecoder(), .jpegLossless: JPEGDecoder(),
            .jpegLosslessSV1: JPEGDecoder(),
            .jpeglsLossless: JPEGLSDecoder(), .jpeglsNearLossless: JPEGLSDecoder(),
            .jpeg2000Lossless: JPEG2000Decoder(), .jpeg2000: JPEG2000Decoder(), .jpeg2000MCLossless: JPEG2000Decoder(),
            .jpeg2000MC: JPEG2000Decoder(), .htj2kLossless: JPEG2000Decoder(), .htj2kLosslessRPCL: JPEG2000Decoder(),
            .htj2k: JPEG2000Decoder(),
            .jpegxlLossless: JPEGXLDecoder(), .jpegxljpegRecompression: JPEGXLDecoder(), .jpegxl: JPEGXLDecoder(),
        ],
        encoders: [
            .rleLossless: RLECodec(), .deflatedImageFrame: DeflatedFrameCodec(),
            .encapsulatedUncompressed: UncompressedFrameCodec(),
            .jpegLossless: JPEGLosslessEncoder(predictor: 6), .jpegLosslessSV1: JPEGLosslessEncoder(predictor: 1),
            .jpeglsLossless: JPEGLSEncoder(), .jpeg2000Lossless: JPEG2000Encoder(), .htj2kLossless: HTJ2KEncoder(),
            .jpegxlLossless: JPEGXLEncoder(),
        ])

    public func canDecode(_ transferSyntax: TransferSyntax) -> Bool { decoders[transferSyntax] != nil }

    public func canEncode(_ transferSyntax: TransferSyntax) -> Bool { encoders[transferSyntax] != nil }

    /// One frame without its compression.
    ///
    /// - Parameters:
    ///   - codestream: all fragments of the frame, joined; a padding byte may follow.
    ///   - image: what the data set says.
    public func decode(
        _ codestream: UnsafeRawBufferPointer, from transferSyntax: TransferSyntax, as image: ImagePixelDescription,
        limits: CodecLimits = CodecLimits()
    ) throws(CodecError) -> FrameBuffer {
        guard let decoder = decoders[transferSyntax] else {
            throw .unsupported("no decoder for \(transferSyntax.uid)")
        }
        guard codestream.count > 0 else { throw .truncated }
        return try decoder.decode(codestream, as: image, limits: limits)
    }

    /// One frame without its compression.
    public func decode(
        _ codestream: [UInt8], from transferSyntax: TransferSyntax, as image: ImagePixelDescription,
        limits: CodecLimits = CodecLimits()
    ) throws(CodecError) -> FrameBuffer {
        try codestream.withUnsafeBufferPointer { (buffer) throws(CodecError) in
            try decode(UnsafeRawBufferPointer(buffer), from: transferSyntax, as: image, limits: limits)
        }
    }

    /// One frame compressed without loss, and the description that goes with it.
    public func encode(
        _ frame: FrameBuffer, to transferSyntax: TransferSyntax
    ) throws(CodecError) -> EncodedFrame {
        guard let encoder = encoders[transferSyntax] else {
            throw .unsupported("no encoder for \(transferSyntax.uid)")
        }
        return try encoder.encode(frame)
    }
}
