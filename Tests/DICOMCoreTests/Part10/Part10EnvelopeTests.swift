import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct Part10EnvelopeTests {
    let instance = TestInstance()

    @Test(arguments: ChunkFeed.all)
    func `E1: reads a regular file the same however it is cut`(feed: ChunkFeed) throws {
        let file = try read(instance.part10(), feed, retention: .everything)
        #expect(file.dataSet == instance.dataSet())
        #expect(file.isFaithful)
        #expect(file.transferSyntax == .explicitVRLittleEndian)
        #expect(file.findings.isEmpty)
        #expect(file.fileMeta.mediaStorageSOPInstanceUID == instance.sopInstanceUID)
        #expect(file.dataSetOffset == 132 + instance.fileMeta().count)
    }

    @Test func `reads a regular file cut at every place`() throws {
        let bytes = instance.part10()
        let whole = try Part10Reader.read(bytes)
        for feed in ChunkFeed.everySplit(of: bytes.count) {
            #expect(try read(bytes, feed).dataSet == whole.dataSet)
        }
    }

    @Test(arguments: [[0x49, 0x49, 0x2A, 0], Array("MZ".utf8), Array("#!/bin/sh\n".utf8)] as [[UInt8]])
    func `E2: takes any preamble`(start: [UInt8]) throws {
        var bytes = instance.part10()
        bytes.replaceSubrange(0..<start.count, with: start)
        #expect(try readEveryWay(bytes).isFaithful)
    }

    @Test func `E3 and E4: reads a file without preamble or without prefix`() throws {
        for cut in [128, 132] {
            let bytes = Array(instance.part10()[cut...])
            let file = try readEveryWay(bytes)
            #expect(file.dataSet.text(0x0008, 0x0018) == instance.sopInstanceUID)
            #expect(!file.isFaithful)
            #expect(Array(bytes[file.dataSetOffset...]) == TestBytes.encode(instance.dataSet()))
        }
    }

    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
    ])
    func `E5, E6 and E7: detects the encoding where nothing tells it`(syntax: TransferSyntax) throws {
        let dataSet = try instance.encoded(syntax)
        let files = [
            dataSet,
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + dataSet,
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + instance.fileMeta(dropping: [0x0010]) + dataSet,
        ]
        for bytes in files {
            let file = try readEveryWay(bytes)
            #expect(file.transferSyntax == syntax)
            #expect(file.transferSyntaxUID == syntax.uid)
            #expect(!file.isFaithful)
            #expect(file.text(0x0020, 0x000D) == instance.studyUID)
            #expect(file.dataSet[Tag(0x0028, 0x0010)]?.bytes.map(Array.init) == [6, 0])
        }
    }

    @Test func `E5: leaves out a command set in front`() throws {
        let command =
            TestBytes.implicit(Tag(0x0000, 0x0000), TestBytes.uint32(10))
            + TestBytes.implicit(Tag(0x0000, 0x0100), [1, 0])
        let file = try readEveryWay(command + TestBytes.encode(instance.dataSet()))
        #expect(file.rules.contains(.commandSet))
        #expect(file.dataSetOffset == command.count)
        #expect(file.text(0x0010, 0x0020) == "P1")
    }

    @Test(arguments: [0, 3, 100_000])
    func `E8: ignores a wrong group length`(length: Int) throws {
        let bytes =
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + instance.fileMeta(groupLength: length)
            + TestBytes.encode(instance.dataSet())
        let file = try readEveryWay(bytes)
        #expect(file.rules == [.wrongMetaGroupLength])
        #expect(!file.isFaithful)
        #expect(file.text(0x0008, 0x0018) == instance.sopInstanceUID)
    }

    @Test func `E9: reads file meta information in implicit VR`() throws {
        var meta = TestBytes.implicit(Tag(0x0002, 0x0002), instance.sopClassUID)
        meta += TestBytes.implicit(Tag(0x0002, 0x0010), "1.2.840.10008.1.2.1 ")
        let bytes =
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + meta + TestBytes.encode(instance.dataSet())
        let file = try readEveryWay(bytes)
        #expect(file.rules.contains(.implicitFileMeta))
        #expect(!file.isFaithful)
        #expect(file.transferSyntax == .explicitVRLittleEndian)
    }

    @Test func `E10: refuses file meta information in big endian`() throws {
        let meta = TestBytes.element(Tag(0x0002, 0x0010), .UI, "1.2.840.10008.1.2.2", bigEndian: true)
        let start = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        #expect(try failureEveryWay(start + meta + instance.encoded(.explicitVRBigEndian)) == .notDICOM)
    }

    @Test func `E11: keeps an unknown transfer syntax`() throws {
        let uid = "1.3.46.670589.33.1.4.1"
        for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian] {
            let file = try readEveryWay(
                instance.part10(dataSet: instance.encoded(syntax), transferSyntaxUID: uid))
            #expect(file.transferSyntax == nil)
            #expect(file.transferSyntaxUID == uid)
            #expect(file.isFaithful)
            #expect(file.text(0x0010, 0x0020) == "P1")
        }
    }

    @Test func `E12: believes the bytes and not the transfer syntax`() throws {
        let encodings = [
            TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
        ]
        for declared in encodings + [.deflatedExplicitVRLittleEndian] {
            for real in encodings where real != declared {
                if declared.isDeflated, real != .explicitVRLittleEndian { continue }
                let file = try readEveryWay(
                    instance.part10(dataSet: instance.encoded(real), transferSyntaxUID: declared.uid))
                #expect(file.transferSyntax == real)
                #expect(file.rules.contains(.transferSyntaxMismatch))
                #expect(!file.isFaithful)
                #expect(file.text(0x0010, 0x0020) == "P1")
            }
        }
    }

    @Test(arguments: [" ", "\0\0\0", "  "])
    func `E13: trims the transfer syntax UID`(tail: String) throws {
        let file = try readEveryWay(
            instance.part10(
                dataSet: TestBytes.encode(instance.dataSet()), transferSyntaxUID: "1.2.840.10008.1.2.1" + tail))
        #expect(file.transferSyntaxUID == "1.2.840.10008.1.2.1")
        #expect(!file.isFaithful)
    }

    @Test func `E14: the data set's UIDs win`() throws {
        var other = instance
        other.sopInstanceUID = "1.2.3"
        let bytes =
            [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + other.fileMeta()
            + TestBytes.encode(instance.dataSet())
        let file = try readEveryWay(bytes)
        #expect(!file.isFaithful)
        #expect(file.rules == [.metaUIDMismatch])
        #expect(file.rewrittenFileMeta.mediaStorageSOPInstanceUID == instance.sopInstanceUID)
        #expect(!IdentityCheck(file: file).findings.isEmpty)
    }

    @Test(arguments: [DeflateFormat.raw, .zlib, .gzip])
    func `E15: inflates raw, zlib and gzip streams`(format: DeflateFormat) throws {
        var deflated: [UInt8] = []
        let deflater = Deflater(format)
        TestBytes.encode(instance.dataSet()).withUnsafeBytes { deflater.receive($0, into: &deflated) }
        deflater.finish(into: &deflated)
        if deflated.count % 2 != 0 { deflated.append(0) }
        let syntax = TransferSyntax.deflatedExplicitVRLittleEndian
        let bytes = instance.part10(dataSet: deflated, transferSyntaxUID: syntax.uid)
        let file = try readEveryWay(bytes)
        #expect(file.transferSyntax == syntax)
        #expect(file.isFaithful == (format == .raw))
        #expect(file.text(0x0010, 0x0020) == "P1")
        #expect(failureEveryWay(Array(bytes[..<(bytes.count - 12)])) == .truncated)
    }

    @Test func `E15: stops a deflate bomb`() throws {
        var deflated: [UInt8] = []
        let deflater = Deflater(.raw, level: 9)
        let head = TestBytes.element(Tag(0x0009, 0x1001), .OB, [], length: 0x7FFF_FFF0)
        head.withUnsafeBytes { deflater.receive($0, into: &deflated) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<80 { zeros.withUnsafeBytes { deflater.receive($0, into: &deflated) } }
        deflater.finish(into: &deflated)
        let bytes = instance.part10(
            dataSet: deflated, transferSyntaxUID: TransferSyntax.deflatedExplicitVRLittleEndian.uid)
        #expect(failure(bytes, ChunkFeed(size: 4096)) == .inflateLimit(limit: 200))
        var limits = ReadLimits.standard
        limits.inflatedBytes = 1 << 20
        #expect(failure(bytes, limits: limits) == .inflateLimit(limit: 1 << 20))
    }

    @Test func `E16, E18 and E19: refuses what is not DICOM`() {
        let inputs: [[UInt8]] = [
            [], [0], [UInt8](repeating: 0, count: 131), [UInt8](repeating: 0, count: 4000),
            Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + instance.part10(),
            [0xEF, 0xBB, 0xBF] + Array("<html><body>502 Bad Gateway</body></html>".utf8),
            Array("<!DOCTYPE html>".utf8) + [UInt8](repeating: 0x78, count: 500), Array("{\"error\": 1}".utf8),
            Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 300),
            [UInt8](repeating: 0xFF, count: 1000),
        ]
        for bytes in inputs { #expect(failureEveryWay(bytes) == .notDICOM) }
    }

    @Test func `E17 and H20: reports what stands behind the data set`() throws {
        let bytes = instance.part10()
        for slack in [[0, 0, 0], [UInt8](repeating: 0, count: 512), [UInt8](repeating: 0xFF, count: 64)] {
            let file = try readEveryWay(bytes + slack)
            #expect(file.rules == [.trailingSlack])
            #expect(file.slackLength == slack.count)
            #expect(file.length == bytes.count + slack.count)
        }
        let file = try readEveryWay(bytes + bytes)
        #expect(file.rules == [.trailingData])
        #expect(file.dataSet == (try Part10Reader.read(bytes)).dataSet)
    }

    @Test func `strict rules accept a good file and refuse leniencies`() throws {
        #expect(try read(instance.part10(), rules: .strict).isFaithful)
        #expect(failure(Array(instance.part10()[128...]), rules: .strict) == .notAllowed(.missingPreamble))
        #expect(failure(instance.part10() + [0, 0], rules: .strict) == .notAllowed(.trailingSlack))
    }

    @Test func `new file meta information and the stored data set give a good file`() throws {
        let bytes = Array(instance.part10()[132...])
        let file = try read(bytes)
        let rewritten = file.rewrittenFileMeta.encoded() + bytes[file.dataSetOffset...]
        let again = try read(rewritten, rules: .strict)
        #expect(again.isFaithful)
        #expect(again.findings.isEmpty)
        #expect(again.fileMeta.implementationVersionName == FileMetaInformation.implementationVersionName)
        #expect(again.dataSet.count == file.dataSet.count)
    }
}
