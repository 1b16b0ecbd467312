package import DICOMCore

/// A small instance for tests: a data set and its Part 10 bytes from a few arguments.
///
/// The bytes are put together here, not by the encoder under test.
package struct TestInstance: Sendable {
    package var sopClassUID = "1.2.840.10008.5.1.4.1.1.7"
    package var sopInstanceUID: String
    package var studyUID: String
    package var seriesUID: String
    package var patientID = "P1"
    package var patientName = "Smith^John"
    package var modality = "OT"
    package var characterSet: String? = "ISO_IR 100"
    package var rows = 6
    package var columns = 6
    package var bitsAllocated = 8
    package var frames: Int?
    package var instanceNumber = 1
    /// More elements, or others instead of those that are there.
    package var elements: [DataElement] = []

    /// Instance `instance` of series `series` of study `study`: the same numbers give the same UIDs.
    package init(study: Int = 1, series: Int = 1, instance: Int = 1) {
        studyUID = "2.25.1000\(study)"
        seriesUID = "2.25.1000\(study).\(series)"
        sopInstanceUID = "2.25.1000\(study).\(series).\(instance)"
        instanceNumber = instance
    }

    /// Native pixel data that fits the attributes: bytes that count up.
    package var pixelData: [UInt8] {
        let count = rows * columns * bitsAllocated / 8 * (frames ?? 1)
        return (0..<count + count % 2).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// The data set. Pixel data is in memory; leave it out with `hasPixelData`.
    package func dataSet(hasPixelData: Bool = true) -> DataSet {
        var set = DataSet()
        func text(_ group: UInt16, _ element: UInt16, _ vr: VR, _ value: String) {
            var bytes = Array(value.utf8)
            if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
            set.set(DataElement(Tag(group, element), vr, .bytes(bytes[...])))
        }
        func number(_ group: UInt16, _ element: UInt16, _ value: Int) {
            let bytes = [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
            set.set(DataElement(Tag(group, element), .US, .bytes(bytes[...])))
        }
        if let characterSet {
            text(0x0008, 0x0005, .CS, characterSet)
            set.characterSet = SpecificCharacterSet(terms: [characterSet])
        }
        text(0x0008, 0x0016, .UI, sopClassUID)
        text(0x0008, 0x0018, .UI, sopInstanceUID)
        text(0x0008, 0x0020, .DA, "20240115")
        text(0x0008, 0x0030, .TM, "101112")
        text(0x0008, 0x0050, .SH, "A1")
        text(0x0008, 0x0060, .CS, modality)
        text(0x0008, 0x0090, .PN, "Ref^Erring")
        text(0x0010, 0x0010, .PN, patientName)
        text(0x0010, 0x0020, .LO, patientID)
        text(0x0010, 0x0030, .DA, "19700102")
        text(0x0010, 0x0040, .CS, "M")
        text(0x0020, 0x000D, .UI, studyUID)
        text(0x0020, 0x000E, .UI, seriesUID)
        text(0x0020, 0x0010, .SH, "S1")
        text(0x0020, 0x0011, .IS, "1")
        text(0x0020, 0x0013, .IS, "\(instanceNumber)")
        if hasPixelData {
            number(0x0028, 0x0002, 1)
            text(0x0028, 0x0004, .CS, "MONOCHROME2")
            if let frames { text(0x0028, 0x0008, .IS, "\(frames)") }
            number(0x0028, 0x0010, rows)
            number(0x0028, 0x0011, columns)
            number(0x0028, 0x0100, bitsAllocated)
            number(0x0028, 0x0101, bitsAllocated)
            number(0x0028, 0x0102, bitsAllocated - 1)
            number(0x0028, 0x0103, 0)
            let vr: VR = bitsAllocated > 8 ? .OW : .OB
            set.set(DataElement(Tag(0x7FE0, 0x0010), vr, .bytes(pixelData[...])))
        }
        for element in elements { set.set(element) }
        return set
    }

    /// Part 10 bytes in Explicit VR Little Endian.
    package func part10(hasPixelData: Bool = true) -> [UInt8] {
        part10(dataSet: TestBytes.encode(dataSet(hasPixelData: hasPixelData)))
    }

    /// Part 10 bytes with a given encoded data set.
    package func part10(
        dataSet: [UInt8], transferSyntaxUID: String = "1.2.840.10008.1.2.1"
    ) -> [UInt8] {
        [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + fileMeta(transferSyntaxUID: transferSyntaxUID)
            + dataSet
    }

    /// Group 0002. Leave elements out with `dropping`; a wrong group length comes by `groupLength`.
    package func fileMeta(
        transferSyntaxUID: String = "1.2.840.10008.1.2.1", dropping: Set<UInt16> = [], groupLength: Int? = nil
    ) -> [UInt8] {
        var group: [UInt8] = []
        let texts: [(UInt16, VR, String)] = [
            (0x0002, .UI, sopClassUID), (0x0003, .UI, sopInstanceUID), (0x0010, .UI, transferSyntaxUID),
            (0x0012, .UI, "1.2.3.4"), (0x0013, .SH, "TEST_1"),
        ]
        if !dropping.contains(0x0001) {
            group += TestBytes.element(Tag(0x0002, 0x0001), .OB, [0, 1])
        }
        for (element, vr, value) in texts where !dropping.contains(element) {
            group += TestBytes.element(Tag(0x0002, element), vr, value)
        }
        guard !dropping.contains(0x0000) else { return group }
        let length = TestBytes.uint32(groupLength ?? group.count)
        return TestBytes.element(Tag(0x0002, 0x0000), .UL, length) + group
    }
}

/// Encoded elements, byte by byte, right or wrong as a test needs them.
package enum TestBytes {
    package static func uint16(_ value: Int, bigEndian: Bool = false) -> [UInt8] {
        let bytes = [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        return bigEndian ? bytes.reversed() : bytes
    }

    package static func uint32(_ value: Int, bigEndian: Bool = false) -> [UInt8] {
        let bytes = uint16(value) + uint16(value >> 16)
        return bigEndian ? bytes.reversed() : bytes
    }

    package static func tag(_ tag: Tag, bigEndian: Bool = false) -> [UInt8] {
        uint16(Int(tag.group), bigEndian: bigEndian) + uint16(Int(tag.element), bigEndian: bigEndian)
    }

    /// An explicit VR element; `length` overrides the honest one, 0xFFFFFFFF is undefined. Not padded.
    package static func element(
        _ tag: Tag, _ vr: VR, _ value: [UInt8] = [], length: Int? = nil, reserved: [UInt8] = [0, 0],
        bigEndian: Bool = false
    ) -> [UInt8] {
        var bytes = self.tag(tag, bigEndian: bigEndian) + Array(vr.letters.utf8)
        if vr.hasLongHeader {
            bytes += reserved + uint32(length ?? value.count, bigEndian: bigEndian)
        } else {
            bytes += uint16(length ?? value.count, bigEndian: bigEndian)
        }
        return bytes + value
    }

    /// An explicit VR element with text, padded.
    package static func element(_ tag: Tag, _ vr: VR, _ text: String, bigEndian: Bool = false) -> [UInt8] {
        var value = Array(text.utf8)
        if value.count % 2 != 0 { value.append(vr.paddingByte) }
        return element(tag, vr, value, bigEndian: bigEndian)
    }

    /// An implicit VR element; not padded.
    package static func implicit(_ tag: Tag, _ value: [UInt8] = [], length: Int? = nil) -> [UInt8] {
        self.tag(tag) + uint32(length ?? value.count) + value
    }

    /// An implicit VR element with text, padded with a space.
    package static func implicit(_ tag: Tag, _ text: String) -> [UInt8] {
        implicit(tag, Array(text.utf8) + (text.utf8.count % 2 == 0 ? [] : [0x20]))
    }

    /// An item with its length; `length` overrides it, 0xFFFFFFFF is undefined and needs `itemEnd`.
    package static func item(_ content: [UInt8] = [], length: Int? = nil, bigEndian: Bool = false) -> [UInt8] {
        tag(.item, bigEndian: bigEndian) + uint32(length ?? content.count, bigEndian: bigEndian) + content
    }

    package static let undefined = 0xFFFF_FFFF
    package static let itemEnd = tag(.itemDelimitationItem) + uint32(0)
    package static let sequenceEnd = tag(.sequenceDelimitationItem) + uint32(0)

    /// Explicit VR Little Endian with defined lengths.
    package static func encode(_ dataSet: DataSet) -> [UInt8] {
        dataSet.reduce(into: []) { $0 += encode($1) }
    }

    /// One element in Explicit VR Little Endian.
    package static func encode(_ element: DataElement) -> [UInt8] {
        switch element.value {
        case .bytes(let bytes): self.element(element.tag, element.vr, Array(bytes))
        case .items(let items):
            self.element(element.tag, .SQ, items.reduce(into: []) { $0 += item(encode($1)) })
        case .fragments, .bulk: self.element(element.tag, element.vr)
        }
    }
}
