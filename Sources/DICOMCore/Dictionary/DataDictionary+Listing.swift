extension DataDictionary {
    /// An attribute by its names, for those who list the registry.
    public struct RegisteredAttribute: Hashable, Sendable {
        /// Eight hexadecimal digits, `x` for any digit in those of repeating groups (PS3.5 7.6).
        public var tagPattern: String
        /// Empty for the few retired attributes that have none.
        public var keyword: String
        public var name: String
    }

    /// Every attribute of the registry in the order of tags (PS3.6 6). Made anew each time.
    public var registeredAttributes: [RegisteredAttribute] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            // tag, VRs, VM, retired, keyword, name
            let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            guard columns.count == 6 else { return nil }
            return RegisteredAttribute(
                tagPattern: String(decoding: columns[0], as: UTF8.self),
                keyword: String(decoding: columns[4], as: UTF8.self),
                name: String(decoding: columns[5], as: UTF8.self))
        }
    }
}
