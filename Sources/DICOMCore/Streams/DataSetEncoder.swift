/// Encodes data sets in memory (PS3.5 7, A).
///
/// Sequences and items get undefined lengths, odd values their padding; a value that is too long for its VR's length
/// field is written as UN (PS3.5 6.2.2); group lengths are left out.
public struct DataSetEncoder: Sendable {
    public let transferSyntax: TransferSyntax
    private let header: ElementHeaderWriter
    private static let depthLimit = 64

    public init(transferSyntax: TransferSyntax) {
        self.transferSyntax = transferSyntax
        let encoding: ElementEncoding =
            transferSyntax.isImplicitVR
            ? .implicitLittleEndian : transferSyntax.isBigEndian ? .explicitBigEndian : .explicitLittleEndian
        header = ElementHeaderWriter(encoding: encoding)
    }

    /// Appends the data set to the bytes. Values that are not in memory are an error.
    public func encode(_ dataSet: DataSet, into bytes: inout [UInt8]) throws(DataSetWriteError) {
        try encode(dataSet, into: &bytes) { (element, _) throws(DataSetWriteError) in
            throw DataSetWriteError(.missingBytes, element.tag)
        }
    }

    /// Appends the data set to the bytes. `supply` is asked for values that are not in memory, little endian, and for
    /// each fragment of encapsulated pixel data.
    public func encode(
        _ dataSet: DataSet, into bytes: inout [UInt8],
        supply: (DataElement, BulkBytes) throws(DataSetWriteError) -> [UInt8]
    ) throws(DataSetWriteError) {
        guard transferSyntax.isDeflated else { return try write(dataSet, into: &bytes, supply) }
        var plain: [UInt8] = []
        try write(dataSet, into: &plain, supply)
        var deflated: [UInt8] = []
        let deflater = Deflater(.raw)
        plain.withUnsafeBytes { deflater.receive($0, into: &deflated) }
        deflater.finish(into: &deflated)
        if deflated.count & 1 != 0 { deflated.append(0) }
        bytes.append(contentsOf: deflated)
    }

    private enum Work {
        case elements(DataSet, next: Int)
        case items([DataSet], next: Int)
    }

    private func write(
        _ dataSet: DataSet, into bytes: inout [UInt8],
        _ supply: (DataElement, BulkBytes) throws(DataSetWriteError) -> [UInt8]
    ) throws(DataSetWriteError) {
        var stack = [Work.elements(dataSet, next: 0)]
        while let work = stack.popLast() {
            switch work {
            case .items(let items, let next):
                guard next < items.count else {
                    header.writeItem(.sequenceDelimitationItem, length: 0, into: &bytes)
                    continue
                }
                header.writeItem(.item, length: undefinedLength, into: &bytes)
                stack.append(.items(items, next: next + 1))
                stack.append(.elements(items[next], next: 0))
            case .elements(let set, var next):
                var isInterrupted = false
                while next < set.count, !isInterrupted {
                    let element = set[next]
                    next += 1
                    if element.tag.isGroupLength { continue }
                    if case .items(let items) = element.value {
                        guard stack.count < 2 * Self.depthLimit else {
                            throw DataSetWriteError(.nestingTooDeep(limit: Self.depthLimit), element.tag)
                        }
                        header.write(element.tag, .SQ, length: undefinedLength, into: &bytes)
                        stack.append(.elements(set, next: next))
                        stack.append(.items(items, next: 0))
                        isInterrupted = true
                    } else {
                        try write(element, into: &bytes, supply)
                    }
                }
                if !isInterrupted, !stack.isEmpty {
                    header.writeItem(.itemDelimitationItem, length: 0, into: &bytes)
                }
            }
        }
    }

    private func write(
        _ element: DataElement, into bytes: inout [UInt8],
        _ supply: (DataElement, BulkBytes) throws(DataSetWriteError) -> [UInt8]
    ) throws(DataSetWriteError) {
        switch element.value {
        case .items: break
        case .bytes(let value): try write(value, of: element, into: &bytes)
        case .bulk(let place): try write(supply(element, place)[...], of: element, into: &bytes)
        case .fragments(let value):
            header.write(element.tag, .OB, length: undefinedLength, into: &bytes)
            var table: [UInt8] = []
            for offset in value.basicOffsetTable {
                withUnsafeBytes(of: offset.littleEndian) { table.append(contentsOf: $0) }
            }
            try writeItem(table[...], of: element, into: &bytes)
            for fragment in value.fragments {
                try writeItem(supply(element, .range(fragment.range))[...], of: element, into: &bytes)
            }
            header.writeItem(.sequenceDelimitationItem, length: 0, into: &bytes)
        }
    }

    private func writeItem(
        _ value: ArraySlice<UInt8>, of element: DataElement, into bytes: inout [UInt8]
    ) throws(DataSetWriteError) {
        guard value.count < Int(undefinedLength) - 1 else { throw DataSetWriteError(.valueTooLong, element.tag) }
        header.writeItem(.item, length: UInt32(value.count + value.count & 1), into: &bytes)
        bytes.append(contentsOf: value)
        if value.count & 1 != 0 { bytes.append(0) }
    }

    private func write(
        _ value: ArraySlice<UInt8>, of element: DataElement, into bytes: inout [UInt8]
    ) throws(DataSetWriteError) {
        guard value.count < Int(undefinedLength) - 1 else { throw DataSetWriteError(.valueTooLong, element.tag) }
        header.write(
            element.tag, element.vr, length: UInt32(value.count + value.count & 1), into: &bytes)
        let start = bytes.count
        bytes.append(contentsOf: value)
        if header.encoding.isBigEndian {
            bytes.withUnsafeMutableBytes { target in
                swapBytes(UnsafeMutableRawBufferPointer(rebasing: target[start...]), width: element.vr.numberWidth)
            }
        }
        if value.count & 1 != 0 { bytes.append(element.vr.paddingByte) }
    }
}
