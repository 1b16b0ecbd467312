import Archive
import DICOMCore
import DICOMWeb
import Testing

@Suite struct ArchiveIndexedAttributesTests {
    @Test func `every attribute that a request can name is one that the index has at that level`() {
        for known in SearchableAttributes.standard.attributes where known.topTag != .specificCharacterSet {
            let indexed = IndexedAttributes.standard.attribute(known.topTag, at: known.level)
            #expect(indexed != nil, "\(known.path)")
            if known.matching != .none { #expect(indexed?.isMatchable == true, "\(known.path)") }
        }
    }
}
