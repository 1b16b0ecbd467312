import DICOMCore

/// A key of metadata that cannot be taken, and why.
package struct MetadataFault: Hashable, Sendable {
    /// The JSON pointer (RFC 6901) of what is wrong in what was sent.
    package var pointer: String
    /// What is wrong, without the value.
    package var detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// What somebody wants to have changed in an order's metadata, checked.
package struct MetadataChange: Hashable, Sendable {
    /// Each value by its name; `nil` takes the value of this source away.
    package private(set) var values: [MetadataName: OrderedJSON?]

    /// Longest name of the sender's own, in bytes.
    private static let nameLimit = 128

    /// Reads a JSON object: attributes are checked against their VR, other names are kept as they are, also those under
    /// `custom`. Throws every fault there is.
    package init(_ object: [OrderedJSON.Member]) throws(MetadataFaults) {
        var values: [MetadataName: OrderedJSON?] = [:]
        var faults: [MetadataFault] = []
        func add(_ name: MetadataName, _ value: OrderedJSON, at pointer: String) {
            if let fault = Self.fault(of: name, value) {
                faults.append(MetadataFault(pointer: pointer, detail: fault))
            } else if values.updateValue(value == .null ? nil : .some(value), forKey: name) != nil {
                faults.append(
                    MetadataFault(pointer: pointer, detail: "The attribute is there under another name, too."))
            }
        }
        for member in object {
            let pointer = "/" + MetadataName.pointerToken(member.name)
            if member.name == "custom", let custom = member.value.members {
                for member in custom {
                    add(.custom(member.name), member.value, at: pointer + "/" + MetadataName.pointerToken(member.name))
                }
            } else {
                add(MetadataName(key: member.name), member.value, at: pointer)
            }
        }
        guard faults.isEmpty else { throw MetadataFaults(faults: faults) }
        self.values = values
    }

    private init(values: [MetadataName: OrderedJSON?]) { self.values = values }

    /// Those of the values that fulfil a condition.
    func filtered(_ isWanted: (MetadataName, OrderedJSON?) -> Bool) -> MetadataChange {
        MetadataChange(values: values.filter { isWanted($0.key, $0.value) })
    }

    /// The JSON pointers of what it changes, in order.
    package var pointers: [String] { values.keys.map(\.pointer).sorted() }

    private static func fault(of name: MetadataName, _ value: OrderedJSON) -> String? {
        switch name {
        case .attribute(let tag, let keyword): MetadataValueCheck(tag: tag, keyword: keyword).fault(of: value)
        case .custom(let name):
            name.isEmpty || name.utf8.count > nameLimit ? "A name has 1 to \(nameLimit) bytes." : nil
        }
    }
}

/// Everything that is wrong with metadata that were sent.
package struct MetadataFaults: Error, Hashable {
    package var faults: [MetadataFault]
}

extension MetadataChange {
    /// Whether it gives the attribute a value.
    func sets(_ keyword: String) -> Bool {
        values.contains { name, value in
            if case .attribute(_, keyword) = name { value != nil } else { false }
        }
    }
}
