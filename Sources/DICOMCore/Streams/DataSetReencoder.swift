/// Writes what a parser finds in Explicit VR Little Endian, as it comes.
///
/// Sequences get undefined lengths, for theirs are not known before their end. Group lengths and trailing padding are
/// gone already: the parser does not show them.
struct DataSetReencoder: DataSetVisitor, Sendable {
    /// What the values before tell about those behind them, in one data set or item.
    private struct Context {
        var isSigned = false
        var bitsAllocated = 16
        var waveformBitsAllocated = 16
        var lastTag: UInt32 = 0
        /// The size of an image's pixel data, as `PixelDataLength` wants it.
        var image = DataSet()
    }

    /// Encoded bytes that the caller takes out.
    var output: [UInt8] = []
    private let header = ElementHeaderWriter(encoding: .explicitLittleEndian)
    /// GE's private transfer syntax: little endian, but big endian pixel data.
    private let swapsPixelData: Bool
    private var contexts = [Context()]
    private var paddingByte: UInt8 = 0
    private var isOdd = false
    private var swapWidth = 1
    private var isDropped = false
    private var pendingTable: [UInt8]?

    /// Encapsulated Uncompressed: frames are joined to native pixel data (PS3.5 A.4.11).
    private let joinsFrames: Bool
    private var joining: FrameJoining?
    /// Whether encapsulated frames were not all there, or of unknown size.
    private(set) var lacksFrames = false

    init(swapsPixelData: Bool, joinsFrames: Bool = false) {
        self.swapsPixelData = swapsPixelData
        self.joinsFrames = joinsFrames
    }

    var keptBytes: Int { 0 }

    mutating func value(_ element: ElementStart, _ bytes: UnsafeRawBufferPointer) {
        guard begin(element, length: bytes.count) else { return }
        learn(element, bytes)
        valueBytes(bytes)
        endValue()
    }

    mutating func beginValue(_ element: ElementStart) -> Bool { begin(element, length: element.length ?? 0) }

    mutating func valueBytes(_ bytes: UnsafeRawBufferPointer) {
        if joining != nil {
            joining?.add(bytes, to: &output)
            return
        }
        let start = output.count
        output.append(contentsOf: bytes)
        guard swapWidth > 1 else { return }
        let width = swapWidth
        output.withUnsafeMutableBytes { target in
            swapBytes(UnsafeMutableRawBufferPointer(rebasing: target[start...]), width: width)
        }
    }

    mutating func endValue() {
        if isOdd { output.append(paddingByte) }
        isOdd = false
    }

    /// What was stored is cut, and so is what is written.
    mutating func endValue(missing: Int) { isOdd = false }

    mutating func beginSequence(_ element: ElementStart) {
        contexts[contexts.count - 1].lastTag = element.tag.rawValue
        header.write(element.tag, .SQ, length: undefinedLength, into: &output)
    }

    mutating func beginItem() {
        header.writeItem(.item, length: undefinedLength, into: &output)
        var context = contexts[contexts.count - 1]
        context.lastTag = 0
        contexts.append(context)
    }

    mutating func endItem() {
        header.writeItem(.itemDelimitationItem, length: 0, into: &output)
        if contexts.count > 1 { contexts.removeLast() }
    }

    mutating func endSequence() { header.writeItem(.sequenceDelimitationItem, length: 0, into: &output) }

    mutating func beginFragments(_ element: ElementStart) {
        let last = contexts.count - 1
        contexts[last].lastTag = element.tag.rawValue
        guard !joinsFrames || last > 0 else { return beginJoining(element) }
        header.write(element.tag, .OB, length: undefinedLength, into: &output)
        pendingTable = []
    }

    mutating func offsetTable(_ bytes: UnsafeRawBufferPointer) { pendingTable?.append(contentsOf: bytes) }

    private mutating func beginJoining(_ element: ElementStart) {
        let frames = FrameJoining(contexts[0].image)
        let length = frames.flatMap { UInt32(exactly: $0.byteCount + $0.byteCount & 1) } ?? undefinedLength
        guard let frames, length < undefinedLength else {
            lacksFrames = true
            return
        }
        joining = frames
        header.write(element.tag, contexts[0].bitsAllocated > 8 ? .OW : .OB, length: length, into: &output)
    }

    mutating func fragment(offset: Int, length: Int, head: UInt32) -> Bool {
        if joinsFrames, contexts.count == 1 {
            joining?.beginFragment()
            return joining != nil
        }
        writeTable()
        header.writeItem(.item, length: UInt32(truncatingIfNeeded: length + length & 1), into: &output)
        isOdd = length & 1 != 0
        paddingByte = 0
        swapWidth = 1
        return true
    }

    mutating func endFragments(origin: Int) {
        if joinsFrames, contexts.count == 1 {
            if joining?.finish(&output) == false { lacksFrames = true }
            joining = nil
            return
        }
        writeTable()
        header.writeItem(.sequenceDelimitationItem, length: 0, into: &output)
    }

    private mutating func writeTable() {
        guard let table = pendingTable else { return }
        header.writeItem(.item, length: UInt32(truncatingIfNeeded: table.count), into: &output)
        output.append(contentsOf: table)
        pendingTable = nil
    }

    /// Writes the header. A repeated tag is left out, as the reader counts the first.
    private mutating func begin(_ element: ElementStart, length: Int) -> Bool {
        let last = contexts.count - 1
        guard contexts[last].lastTag != element.tag.rawValue else { return false }
        // There are no fragments any more for the Extended Offset Table to point at.
        if joinsFrames, last == 0, (0x7FE0_0001...0x7FE0_0003).contains(element.tag.rawValue) { return false }
        contexts[last].lastTag = element.tag.rawValue
        let vr = writtenVR(element, length: length)
        isOdd = length & 1 != 0
        paddingByte = vr.paddingByte
        swapWidth = width(element, vr)
        header.write(element.tag, vr, length: UInt32(truncatingIfNeeded: length + length & 1), into: &output)
        return true
    }

    /// Remembers what decides about VRs and byte order further on.
    private mutating func learn(_ element: ElementStart, _ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2 else { return }
        let number = Int(bytes.uint16(0, element.encoding))
        let last = contexts.count - 1
        if joinsFrames, last == 0, element.tag.group == 0x0028, element.tag.element <= 0x0100 {
            contexts[0].image.insertIfAbsent(DataElement(element.tag, element.vr, .bytes(Array(bytes)[...])))
        }
        switch element.tag.rawValue {
        case 0x0028_0100: contexts[last].bitsAllocated = number
        case 0x0028_0103: contexts[last].isSigned = number == 1
        case 0x5400_1004: contexts[last].waveformBitsAllocated = number
        default: break
        }
    }

    /// Implicit VR leaves open what explicit VR has to say (PS3.5 A.1, A.2).
    private func writtenVR(_ element: ElementStart, length: Int) -> VR {
        guard element.encoding.isImplicit, let context = contexts.last else { return element.vr }
        switch element.tag.rawValue {
        case 0x7FE0_0010: return context.bitsAllocated > 8 ? .OW : .OB
        case 0x5400_1010: return context.waveformBitsAllocated > 8 ? .OW : .OB
        default: break
        }
        guard element.vr == .US, let (_, other) = DataDictionary.standard.vrs(for: element.tag) else {
            return element.vr
        }
        if other == .SS { return context.isSigned ? .SS : .US }
        return other == .OW && length > 2 ? .OW : .US
    }

    /// Bytes of the numbers to swap. Of pixel data the allocated bits tell, whatever its VR says.
    private func width(_ element: ElementStart, _ vr: VR) -> Int {
        let isPixelData = element.tag.rawValue == 0x7FE0_0010
        let allocated = contexts.last?.bitsAllocated ?? 16
        if isPixelData, swapsPixelData, contexts.count == 1 { return allocated > 8 ? (allocated > 16 ? 4 : 2) : 1 }
        guard element.encoding.isBigEndian else { return 1 }
        guard isPixelData else { return vr.numberWidth }
        switch allocated {
        case ...8: return vr == .OW ? 2 : 1
        case ...16: return 2
        case ...32: return 4
        default: return 8
        }
    }
}
