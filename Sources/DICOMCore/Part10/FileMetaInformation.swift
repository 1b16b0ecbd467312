/// The elements of group 0002 in front of a data set (PS3.10 7.1).
public struct FileMetaInformation: Hashable, Sendable {
    /// The elements as they were found, without the group length.
    public var elements: DataSet

    /// Empty, as in a file that has none.
    public init() { elements = DataSet() }

    public init(elements: DataSet) { self.elements = elements }

    /// What a new file of this instance says.
    public init(
        mediaStorageSOPClassUID: String, mediaStorageSOPInstanceUID: String, transferSyntaxUID: String
    ) {
        elements = DataSet()
        self.mediaStorageSOPClassUID = mediaStorageSOPClassUID
        self.mediaStorageSOPInstanceUID = mediaStorageSOPInstanceUID
        self.transferSyntaxUID = transferSyntaxUID
    }

    /// (0002,0012) of files that the gateway writes.
    public static let implementationClassUID = "2.25.218634417150924187624563120457219837164"
    /// (0002,0013) of files that the gateway writes.
    public static let implementationVersionName = "GANTRY_1"

    /// (0002,0002), without padding; `nil` when absent or empty.
    public var mediaStorageSOPClassUID: String? {
        get { text(Tag(0x0002, 0x0002)) }
        set { setText(Tag(0x0002, 0x0002), .UI, newValue) }
    }
    /// (0002,0003)
    public var mediaStorageSOPInstanceUID: String? {
        get { text(Tag(0x0002, 0x0003)) }
        set { setText(Tag(0x0002, 0x0003), .UI, newValue) }
    }
    /// (0002,0010), without padding, however much there was.
    public var transferSyntaxUID: String? {
        get { text(Tag(0x0002, 0x0010)) }
        set { setText(Tag(0x0002, 0x0010), .UI, newValue) }
    }
    /// (0002,0012)
    public var implementationClassUID: String? {
        get { text(Tag(0x0002, 0x0012)) }
        set { setText(Tag(0x0002, 0x0012), .UI, newValue) }
    }
    /// (0002,0013)
    public var implementationVersionName: String? {
        get { text(Tag(0x0002, 0x0013)) }
        set { setText(Tag(0x0002, 0x0013), .SH, newValue) }
    }
    /// (0002,0016)
    public var sourceApplicationEntityTitle: String? {
        get { text(Tag(0x0002, 0x0016)) }
        set { setText(Tag(0x0002, 0x0016), .AE, newValue) }
    }
    /// (0002,0017)
    public var sendingApplicationEntityTitle: String? {
        get { text(Tag(0x0002, 0x0017)) }
        set { setText(Tag(0x0002, 0x0017), .AE, newValue) }
    }
    /// (0002,0018)
    public var receivingApplicationEntityTitle: String? {
        get { text(Tag(0x0002, 0x0018)) }
        set { setText(Tag(0x0002, 0x0018), .AE, newValue) }
    }

    /// What a good file begins with: a preamble of zeros, `DICM`, and group 0002 with its right length. The version and
    /// the implementation are ours; other elements are kept.
    public func encoded() -> [UInt8] {
        var meta = self
        meta.elements.remove(Tag(0x0002, 0x0000))
        meta.elements.set(DataElement(Tag(0x0002, 0x0001), .OB, .bytes([0, 1])))
        meta.implementationClassUID = Self.implementationClassUID
        meta.implementationVersionName = Self.implementationVersionName

        let header = ElementHeaderWriter(encoding: .explicitLittleEndian)
        var group: [UInt8] = []
        for element in meta.elements {
            guard let bytes = element.bytes, element.tag.group == 2, let length = UInt32(exactly: bytes.count) else {
                continue
            }
            header.write(element.tag, element.vr, length: length + (length & 1), into: &group)
            group.append(contentsOf: bytes)
            if bytes.count & 1 != 0 { group.append(element.vr.paddingByte) }
        }
        var file = [UInt8](repeating: 0, count: 128)
        file.append(contentsOf: "DICM".utf8)
        header.write(Tag(0x0002, 0x0000), .UL, length: 4, into: &file)
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: group.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(contentsOf: group)
        return file
    }

    private func text(_ tag: Tag) -> String? {
        guard let bytes = elements[tag]?.bytes else { return nil }
        let trimmed = UIDText.trimmed(bytes)
        return trimmed.isEmpty ? nil : String(decoding: trimmed, as: UTF8.self)
    }

    private mutating func setText(_ tag: Tag, _ vr: VR, _ text: String?) {
        guard let text else {
            elements.remove(tag)
            return
        }
        var bytes = Array(text.utf8)
        if bytes.count & 1 != 0 { bytes.append(vr.paddingByte) }
        elements.set(DataElement(tag, vr, .bytes(bytes[...])))
    }
}
