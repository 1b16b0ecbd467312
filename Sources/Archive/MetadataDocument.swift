package import DICOMCore

/// The metadata of one instance: its object of the DICOM JSON model, kept as what differs from the first instance of
/// its series, because the slices of a series differ in little (PS3.18 10.4.1.1.2).
package struct MetadataDocument: Sendable {
    package let study: UID
    package let series: UID
    package let instance: UID
    /// Grows with every change of the instance and never repeats.
    package let version: Int64
    let template: AttributeFragments
    let own: AttributeFragments

    init(
        study: UID, series: UID, instance: UID, version: Int64, template: AttributeFragments, own: AttributeFragments
    ) {
        self.study = study
        self.series = series
        self.instance = instance
        self.version = version
        self.template = template
        self.own = own
    }

    /// Appends the JSON object; `base` is the URL that `/studies/…` is put behind in every BulkDataURI.
    package func write(base: some StringProtocol, into output: inout [UInt8]) {
        write(instanceURL: "\(base)/studies/\(study)/series/\(series)/instances/\(instance)", into: &output)
    }

    /// Appends the JSON object; every BulkDataURI starts with the URL of the instance.
    package func write(instanceURL: some StringProtocol, into output: inout [UInt8]) {
        var url: [UInt8] = []
        let raw = [UInt8](instanceURL.utf8)
        url.append(atMost: raw.count * 6) { bytes in raw.withUnsafeBytes { bytes.put(escaping: $0) } }
        let hasPlaceholder = template.flags.union(own.flags).contains(.hasPlaceholder)
        template.bytes.withUnsafeBytes { theirs in
            own.bytes.withUnsafeBytes { mine in
                let zeros = hasPlaceholder ? Self.placeholders(in: theirs) + Self.placeholders(in: mine) : 0
                // A key with its comma has 12 bytes, in the place of at least 5 of the encoded form.
                let bound = 2 + 3 * (theirs.count + mine.count) + zeros * url.count
                output.append(atMost: bound) { bytes in
                    url.withUnsafeBytes { url in
                        Self.merge(theirs, mine, url: hasPlaceholder ? url : nil, into: &bytes)
                    }
                }
            }
        }
    }

    /// The JSON object by itself.
    package func json(base: some StringProtocol) -> [UInt8] {
        var output: [UInt8] = []
        write(base: base, into: &output)
        return output
    }

    /// How many times the URL belongs into the values.
    private static func placeholders(in bytes: UnsafeRawBufferPointer) -> Int {
        var cursor = AttributeFragments.Cursor(bytes)
        var count = 0
        while let entry = cursor.next() {
            for index in entry.start..<entry.end where bytes[index] == 0 { count += 1 }
        }
        return count
    }

    private static func merge(
        _ template: UnsafeRawBufferPointer, _ own: UnsafeRawBufferPointer, url: UnsafeRawBufferPointer?,
        into bytes: inout JSONBytes
    ) {
        var (left, right) = (AttributeFragments.Cursor(template), AttributeFragments.Cursor(own))
        var (theirs, mine) = (left.next(), right.next())
        var isFirst = true
        bytes.put(0x7B)
        while theirs != nil || mine != nil {
            let entry: AttributeFragments.Entry
            let source: UnsafeRawBufferPointer
            if let now = mine, now.tag <= theirs?.tag ?? .max {
                if theirs?.tag == now.tag { theirs = left.next() }
                mine = right.next()
                guard !now.isAbsence else { continue }
                (entry, source) = (now, own)
            } else if let now = theirs {
                theirs = left.next()
                guard !now.isAbsence else { continue }
                (entry, source) = (now, template)
            } else {
                break
            }
            if !isFirst { bytes.put(0x2C) }
            isFirst = false
            bytes.putKey(entry.tag)
            let value = UnsafeRawBufferPointer(rebasing: source[entry.start..<entry.end])
            if let url { bytes.put(value, replacingZerosBy: url) } else { bytes.put(value) }
        }
        bytes.put(0x7D)
    }
}

/// The metadata of a study, a series or an instance.
package struct MetadataDocuments: Sendable {
    /// Version of the resource that was asked for.
    package let version: ResourceVersion
    /// One for each instance, in series and instance number order.
    package let documents: [MetadataDocument]

    init(version: ResourceVersion, documents: [MetadataDocument]) {
        self.version = version
        self.documents = documents
    }

    /// Appends the JSON array of all documents.
    package func writeJSON(base: some StringProtocol, into output: inout [UInt8]) {
        output.append(0x5B)
        for (index, document) in documents.enumerated() {
            if index > 0 { output.append(0x2C) }
            document.write(base: base, into: &output)
        }
        output.append(0x5D)
    }
}
