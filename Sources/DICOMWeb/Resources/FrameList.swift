/// The frames that a path names: numbers from 1, in the order in which they are wanted (PS3.18 10.4.1.1.6).
public struct FrameList: Hashable, Sendable {
    public let numbers: [Int]

    /// How many frames one request may name.
    public static let maximumCount = 65_536

    /// Reads a list with commas. The standard wants ascending order; any order is taken and kept, but no repetition.
    public init(_ text: some StringProtocol) throws(DICOMWebError) {
        var numbers: [Int] = []
        var seen: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Self.number(item), seen.insert(number).inserted, numbers.count < Self.maximumCount else {
                throw DICOMWebError(
                    .invalidFrameList, "Frames are given as different numbers from 1, separated by commas.",
                    clause: "PS3.18 10.4.1.1.6")
            }
            numbers.append(number)
        }
        self.numbers = numbers
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), number > 0
        else { return nil }
        return number
    }
}

extension FrameList: CustomStringConvertible {
    public var description: String { numbers.map(String.init).joined(separator: ",") }
}
