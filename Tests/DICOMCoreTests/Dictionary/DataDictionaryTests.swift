import DICOMCore
import Testing

// Testing has a Tag, too.
private typealias Tag = DICOMCore.Tag

@Suite struct DataDictionaryTests {
    let dictionary = DataDictionary.standard

    @Test func `knows a standard attribute by tag and by keyword`() throws {
        let entry = try #require(dictionary.entry(for: .patientName))
        #expect(entry.vr == .PN && entry.vrs == [.PN] && entry.vm == ValueMultiplicity("1"))
        #expect(entry.keyword == "PatientName" && entry.name == "Patient's Name" && !entry.isRetired)
        #expect(dictionary.tag(forKeyword: "PatientName") == Tag(0x0010, 0x0010))
        #expect(dictionary.keyword(for: .sopInstanceUID) == "SOPInstanceUID")
        #expect(dictionary.tag(forKeyword: "patientname") == nil && dictionary.tag(forKeyword: "") == nil)
    }

    private static let rows: [(tag: UInt32, vr: VR?)] = [
        (0x0010_0020, VR.LO), (0x0020_000D, VR.UI), (0x7FE0_0010, VR.OB), (0x0028_0010, VR.US), (0x5400_0100, VR.SQ),
        (0x0008_0000, VR.UL), (0x0029_0000, VR.UL), (0x0029_0010, VR.LO), (0x0029_1010, nil), (0x0008_FFFF, nil),
        (0x6002_0010, VR.US), (0x601E_3000, VR.OB), (0x50FE_0005, VR.US), (0x6001_1010, nil), (0x0020_3142, VR.CS),
        (0xFFFF_FFFF, nil),
    ]

    @Test(arguments: rows)
    func `tells the VR of a tag`(tag: UInt32, vr: VR?) {
        #expect(dictionary.vr(for: Tag(rawValue: tag)) == vr)
    }

    @Test func `tells where a VR depends on other attributes`() throws {
        let smallest = try #require(dictionary.vrs(for: .smallestImagePixelValue))
        #expect(smallest == (.US, .SS))
        let overlay = try #require(dictionary.vrs(for: Tag(0x6000, 0x3000)))
        #expect(overlay == (.OB, .OW))
        #expect(dictionary.vrs(for: .patientID) == nil)
        #expect(dictionary.entry(for: .lutData)?.vrs == [.US, .OW])
    }

    @Test func `repeating groups have the entry of their pattern under their own tag`() {
        #expect(dictionary.entry(for: Tag(0x6004, 0x0010))?.tag == Tag(0x6004, 0x0010))
        #expect(dictionary.keyword(for: Tag(0x6004, 0x0010)) == "OverlayRows")
        #expect(dictionary.tag(forKeyword: "OverlayRows") == Tag(0x6000, 0x0010))
    }

    @Test func `the listing has every attribute once, under the names it is looked up by`() {
        let all = dictionary.registeredAttributes
        #expect(all.count > 5000 && Set(all.map(\.tagPattern)).count == all.count)
        #expect(all.contains { $0.tagPattern == "60xx3000" && $0.keyword == "OverlayData" })
        for attribute in all {
            guard let number = UInt32(attribute.tagPattern, radix: 16) else { continue }
            let entry = dictionary.entry(for: Tag(rawValue: number))
            #expect(entry?.keyword == attribute.keyword && entry?.name == attribute.name, "\(attribute.tagPattern)")
        }
    }

    @Test func `every attribute that has a keyword is found by it`() {
        var count = 0
        for raw in UInt32(0x0008_0000)...0x0018_FFFF where raw & 0x1_0000 == 0 {
            let tag = Tag(rawValue: raw)
            guard let entry = dictionary.entry(for: tag), !tag.isGroupLength else { continue }
            count += 1
            #expect(dictionary.vr(for: tag) == entry.vr)
            if !entry.keyword.isEmpty, (tag.group, tag.element & 0xF000) != (0x0020, 0x3000), tag.group != 0x0028 {
                #expect(dictionary.tag(forKeyword: entry.keyword) == tag)
            }
        }
        #expect(count > 1000)
    }
}

@Suite struct TransferSyntaxTests {
    @Test func `registered syntaxes are known by UID`() throws {
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2") == .implicitVRLittleEndian)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.70") == .jpegLosslessSV1)
        #expect(TransferSyntax(uid: "1.2.840.113619.5.2")?.isImplicitVR == true)
        #expect(TransferSyntax(uid: "1.2.3") == nil)
    }

    @Test(arguments: ["1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2", "1.2.840.10008.1.2.7.1", "1.2.840.10008.1.20"])
    func `some are not for files`(uid: String) throws {
        #expect(try !#require(TransferSyntax(uid: uid)).isFileSyntax)
    }

    @Test func `traits tell how to read and whether it lost something`() {
        #expect(TransferSyntax.explicitVRBigEndian.isBigEndian && !TransferSyntax.explicitVRBigEndian.isEncapsulated)
        #expect(TransferSyntax.deflatedExplicitVRLittleEndian.isDeflated)
        #expect(TransferSyntax.jpegBaseline.isLossy && TransferSyntax.jpegBaseline.isEncapsulated)
        #expect(!TransferSyntax.jpeg2000Lossless.isLossy && TransferSyntax.jpeg2000.isLossy)
        #expect(!TransferSyntax.rleLossless.isLossy && TransferSyntax.rleLossless.isEncapsulated)
        #expect(TransferSyntax.deflatedImageFrame.isEncapsulated && !TransferSyntax.deflatedImageFrame.isDeflated)
        #expect(TransferSyntax.mpeg4HP41.isVideo && TransferSyntax.jpipReferencedDeflate.isDeflated)
        #expect(!TransferSyntax.jpipReferenced.isEncapsulated && TransferSyntax.encapsulatedUncompressed.isEncapsulated)
    }
}

@Suite struct SOPClassTests {
    @Test func `storage classes are told from services`() {
        #expect(SOPClass(uid: "1.2.840.10008.5.1.4.1.1.2")?.name == "CT Image Storage")
        #expect(SOPClass(uid: "1.2.840.10008.5.1.4.1.1.2")?.isStorage == true)
        #expect(SOPClass(uid: "1.2.840.10008.5.1.4.1.1.88.67")?.isStorage == true)
        #expect(SOPClass(uid: "1.2.840.10008.1.1")?.isStorage == false)
        #expect(SOPClass(uid: "1.2.840.10008.1.20.1")?.isStorage == false)
        #expect(SOPClass(uid: "1.2.840.10008.5.1.4.1.1.6")?.isRetired == true)
        #expect(SOPClass(uid: "1.2.3") == nil)
    }
}
