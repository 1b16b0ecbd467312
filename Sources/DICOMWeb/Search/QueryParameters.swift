import DICOMCore

/// The parameters of a search's query string, told apart but not yet understood (PS3.18 8.3.4).
struct QueryParameters {
    /// What may be an attribute to match.
    struct Key {
        var name: String
        var rawValue: Substring
    }

    private(set) var keys: [Key] = []
    private(set) var includes: [String] = []
    private(set) var order: [String] = []
    private(set) var accept: [String] = []
    private var single: [String: String] = [:]

    private static let singleNames: Set<String> = [
        "limit", "offset", "fuzzymatching", "emptyvaluematching", "multiplevaluematching",
    ]
    /// Parameters that are not for the search: of the transport, of caches, or common to all resources.
    private static let passedOver: Set<String> = ["charset", "_", "access_token", "Prefer", "prefer"]

    /// Takes the string as it stands behind the question mark. Empty pairs are skipped.
    init(_ text: String) throws(DICOMWebError) {
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let rawValue = halves.count == 2 ? halves[1] : ""
            guard let name = PercentEncoding.decoded(halves[0]), let value = PercentEncoding.decoded(rawValue) else {
                throw Self.malformed("An escape is malformed, or what it encodes is not UTF-8.", "PS3.18 8.3.1")
            }
            // Neither attributes nor parameters can hold control characters.
            guard !value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                throw Self.malformed("A value has control characters.", "PS3.5 6.1.3")
            }
            switch name {
            case "includefield": includes += value.split(separator: ",").map(String.init)
            case "orderby": order += value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            case "accept": accept.append(value)
            case _ where Self.singleNames.contains(name):
                guard single.updateValue(value, forKey: name) == nil else {
                    throw Self.malformed("\(name) is given more than once.", "PS3.18 8.3.4")
                }
            case _ where Self.passedOver.contains(name): continue
            default: keys.append(Key(name: name, rawValue: rawValue))
            }
        }
    }

    /// An unsigned number; `nil` when the parameter is absent.
    func number(_ name: String) throws(DICOMWebError) -> Int? {
        guard let text = single[name] else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
            throw Self.malformed("\(name) is not an unsigned number.", "PS3.18 8.3.4.4")
        }
        return number
    }

    /// A flag, which is off when the parameter is absent.
    func flag(_ name: String) throws(DICOMWebError) -> Bool {
        switch single[name] {
        case nil, "false": return false
        case "true": return true
        default: throw Self.malformed("\(name) is neither true nor false.", "PS3.18 8.3.4")
        }
    }

    static func malformed(_ detail: String, _ clause: String) -> DICOMWebError {
        DICOMWebError(.invalidQuery, detail, clause: clause)
    }
}
