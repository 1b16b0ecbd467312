import DICOMWeb
import Hummingbird

/// The query of a request about uploads: each parameter once, and none that is not known. A parameter that were passed over could be the order's.
struct UploadQuery {
    private var values: [String: String] = [:]

    init(_ request: Request, known: Set<String>) throws {
        for (name, value) in try Self.parameters(of: request) {
            guard known.contains(name) else {
                throw Problem(
                    .invalidQuery,
                    "There is no parameter of that name; there are \(known.sorted().joined(separator: ", ")).")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.invalidQuery, "The parameter \(name) is given more than once.")
            }
        }
    }

    /// The value of a parameter; an empty one counts as none.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The value of a parameter as a number.
    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number)
        else {
            throw Problem(
                .invalidQuery,
                "The parameter \(name) is a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// Names and values, decoded, in their order.
    static func parameters(of request: Request) throws -> [(name: String, value: String)] {
        try (request.uri.query ?? "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decoded(halves[0]),
                let value = PercentEncoding.decoded(halves.count == 2 ? halves[1] : "")
            else { throw Problem(.invalidQuery, "An escape in the query is malformed.") }
            return (name, value)
        }
    }
}
