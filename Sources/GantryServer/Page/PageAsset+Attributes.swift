import DICOMCore
import NIOCore

/// What the page asks for to put tags and UIDs in words: made from the same tables as everything else, on the first
/// request.
extension PageAsset {
    /// Keyword and name of every attribute of PS3.6 by tag, of repeating groups by pattern, and the names of SOP Classes
    /// and transfer syntaxes by UID.
    static let attributes: PageAsset = {
        var json = ByteBuffer()
        json.reserveCapacity(1 << 19)
        json.writeString(#"{"attributes":{"#)
        json.writeMembers(DataDictionary.standard.registeredAttributes) { attribute, json in
            json.writeJSONString(attribute.tagPattern)
            json.writeString(":[")
            json.writeJSONString(attribute.keyword)
            json.writeString(",")
            json.writeJSONString(attribute.name)
            json.writeString("]")
        }
        json.writeString(#"},"uids":{"#)
        let names =
            SOPClass.registered.map { ($0.uid, $0.name) } + TransferSyntax.registered.map { ($0.uid, $0.name) }
        json.writeMembers(names) { name, json in
            json.writeJSONString(name.0)
            json.writeString(":")
            json.writeJSONString(name.1)
        }
        json.writeString("}}\n")
        return PageAsset(name: "attributes.json", type: .json, bytes: Array(json.readableBytesView))
    }()
}

extension ByteBuffer {
    fileprivate mutating func writeMembers<Members: Sequence>(
        _ members: Members, _ write: (Members.Element, inout ByteBuffer) -> Void
    ) {
        var isFirst = true
        for member in members {
            if !isFirst { writeString(",") }
            isFirst = false
            write(member, &self)
        }
    }
}
