import DICOMCore
import GantryTesting

@testable import GantryServer

/// Instances for tests of what is rendered.
extension TestInstance {
    var path: String { "studies/\(studyUID)/series/\(seriesUID)/instances/\(sopInstanceUID)" }

    /// An image of 12 columns and 6 rows, its gray values from 0 up.
    static func image(_ number: Int = 1, series: Int = 1, frames: Int? = nil) -> TestInstance {
        var image = TestInstance(series: series, instance: number)
        image.columns = 12
        image.frames = frames
        return image
    }

    /// A document of a SOP Class without frames.
    static func other(_ sopClass: String, _ number: Int, _ elements: [DataElement] = []) -> TestInstance {
        var instance = TestInstance(series: 9, instance: number)
        instance.sopClassUID = "1.2.840.10008.5.1.4.1.1." + sopClass
        instance.elements = elements
        return instance
    }

    static var report: TestInstance {
        func code(_ tag: Tag, _ meaning: String) -> DataElement {
            sequence(
                tag,
                [
                    [
                        text(.codeValue, .SH, "1"), text(.codingSchemeDesignator, .SH, "99X"),
                        text(.codeMeaning, .LO, meaning),
                    ]
                ])
        }
        let finding = [
            text(.valueType, .CS, "TEXT"), text(.relationshipType, .CS, "CONTAINS"),
            code(.conceptNameCodeSequence, "Finding"), text(.textValue, .UT, "Nodule <script>alert(1)</script>"),
        ]
        return other(
            "88.11", 1,
            [
                text(.valueType, .CS, "CONTAINER"), code(.conceptNameCodeSequence, "Report"),
                sequence(.contentSequence, [finding]),
            ])
    }

    static func document(_ mediaType: String, _ bytes: [UInt8]) -> TestInstance {
        other(
            "104.1", 2,
            [
                text(.mimeTypeOfEncapsulatedDocument, .LO, mediaType),
                DataElement(.encapsulatedDocument, .OB, .bytes((bytes + (bytes.count % 2 == 0 ? [] : [0]))[...])),
                DataElement(.encapsulatedDocumentLength, .UL, .bytes(TestBytes.uint32(bytes.count)[...])),
            ])
    }

    /// A Grayscale Softcopy Presentation State for an image, with a window.
    static func presentationState(of images: [TestInstance], window: (String, String)) -> TestInstance {
        presentationState(
            of: images,
            [
                sequence(
                    .softcopyVOILUTSequence,
                    [[text(.windowCenter, .DS, window.0), text(.windowWidth, .DS, window.1)]]),
                text(.presentationLUTShape, .CS, "IDENTITY"),
            ])
    }

    /// A Grayscale Softcopy Presentation State for an image.
    static func presentationState(of images: [TestInstance], _ grays: [DataElement]) -> TestInstance {
        other(
            "11.1", 3,
            [
                sequence(
                    .referencedSeriesSequence,
                    images.map { image in
                        [
                            text(.seriesInstanceUID, .UI, image.seriesUID),
                            sequence(
                                .referencedImageSequence,
                                [[text(.referencedSOPInstanceUID, .UI, image.sopInstanceUID)]]),
                        ]
                    })
            ] + grays)
    }

    /// A table of words, as modality, VOI and presentation LUTs have it.
    static func table(first: Int, bits: Int, _ entries: [Int]) -> [DataElement] {
        [
            DataElement(
                .lutDescriptor, .US, .bytes([entries.count, first, bits].flatMap { TestBytes.uint16($0) }[...])),
            DataElement(.lutData, .OW, .bytes(entries.flatMap { TestBytes.uint16($0) }[...])),
        ]
    }

    /// The file with these fragments as its pixel data.
    func part10(fragments: [[UInt8]], transferSyntaxUID: String) -> [UInt8] {
        var set = dataSet()
        set.remove(Tag(0x7FE0, 0x0010))
        let items = fragments.flatMap { TestBytes.item($0 + ($0.count % 2 == 0 ? [] : [0])) }
        return part10(
            dataSet: TestBytes.encode(set)
                + TestBytes.element(Tag(0x7FE0, 0x0010), .OB, length: TestBytes.undefined) + TestBytes.item() + items
                + TestBytes.sequenceEnd,
            transferSyntaxUID: transferSyntaxUID)
    }

    static func text(_ tag: Tag, _ vr: VR, _ text: String) -> DataElement {
        var bytes = Array(text.utf8)
        if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
        return DataElement(tag, vr, .bytes(bytes[...]))
    }

    static func sequence(_ tag: Tag, _ items: [[DataElement]]) -> DataElement {
        DataElement(tag, .SQ, .items(items.map { DataSet($0.sorted { $0.tag < $1.tag }) }))
    }
}

extension ServerHarness.Answer {
    /// Width and height of a PNG, GIF or baseline JPEG.
    var imageSize: [Int]? {
        func number(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), bytes.count > 24 { return [number(18), number(22)] }
        if bytes.starts(with: Array("GIF89a".utf8)), bytes.count > 10 {
            return [Int(bytes[6]) | Int(bytes[7]) << 8, Int(bytes[8]) | Int(bytes[9]) << 8]
        }
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        var position = 2
        while position + 9 < bytes.count {
            if bytes[position + 1] == 0xC0 { return [number(position + 7), number(position + 5)] }
            position += 2 + number(position + 2)
        }
        return nil
    }

    /// The Content-Type and Content-Location lines of the parts.
    var partLines: [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init).filter {
            $0.hasPrefix("Content-Type: ") || $0.hasPrefix("Content-Location: ")
        }
    }
}
