/// A registered SOP Class (PS3.6 A.1, PS3.4 B.5).
public struct SOPClass: Hashable, Sendable {
    public let uid: String
    public let name: String
    /// Whether instances of it are stored and retrieved, as against a service's.
    public let isStorage: Bool
    public let isRetired: Bool

    /// The registered class with this UID; `nil` for private and unknown ones.
    public init?(uid: String) {
        guard let known = Self.byUID[uid] else { return nil }
        self = known
    }

    private init(uid: String, name: String, isStorage: Bool, isRetired: Bool) {
        self.uid = uid
        self.name = name
        self.isStorage = isStorage
        self.isRetired = isRetired
    }

    /// Every registered class, in the order of the standard.
    public static let registered: [SOPClass] = {
        var classes: [SOPClass] = []
        for line in table.description.utf8.split(separator: UInt8(ascii: "\n")) {
            let columns = line.split(separator: UInt8(ascii: "\t"))
            guard columns.count == 3 else { continue }
            classes.append(
                SOPClass(
                    uid: String(columns[0]) ?? "", name: String(columns[2]) ?? "",
                    isStorage: columns[1].first == UInt8(ascii: "S"),
                    isRetired: columns[1].last == UInt8(ascii: "R")))
        }
        return classes
    }()

    private static let byUID = [String: SOPClass](
        registered.map { ($0.uid, $0) }, uniquingKeysWith: { first, _ in first })
}
