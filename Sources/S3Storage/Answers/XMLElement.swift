import CExpat
import NIOCore

/// An element of a small XML document: its name without the namespace, its text, its children.
///
/// Document types are refused, so there are no entities beyond the five of XML. Attributes are not kept.
struct XMLElement: Hashable, Sendable {
    /// Why a document was refused.
    struct ReadError: Error, Hashable {}

    var name: String
    var text = ""
    var children: [XMLElement] = []

    /// The first child of that name.
    subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// All children of that name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// A child's text.
    func text(_ name: String) -> String? { self[name]?.text }

    /// A child's text as a number that is not negative.
    func number(_ name: String) -> Int? { text(name).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}

extension XMLElement {
    private static let longest = 16 << 20
    private static let deepest = 16

    /// Reads a whole document.
    init(_ bytes: ByteBuffer) throws(ReadError) {
        guard bytes.readableBytes <= Self.longest, let parser = XML_ParserCreateNS(nil, 0x20) else { throw ReadError() }
        defer { XML_ParserFree(parser) }
        let builder = Builder(parser, deepest: Self.deepest)
        XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        XML_SetStartDoctypeDeclHandler(parser) { user, _, _, _, _ in Builder.from(user)?.fail() }
        XML_SetElementHandler(
            parser, { user, name, _ in Builder.from(user)?.start(name) }, { user, _ in Builder.from(user)?.end() })
        XML_SetCharacterDataHandler(parser) { user, text, length in
            guard let text, length > 0 else { return }
            Builder.from(user)?.add(UnsafeRawBufferPointer(start: text, count: Int(length)))
        }
        let status = withExtendedLifetime(builder) {
            bytes.withUnsafeReadableBytes { raw in
                XML_Parse(parser, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count), 1)
            }
        }
        guard status == XML_STATUS_OK, !builder.hasFailed, let root = builder.root else { throw ReadError() }
        self = root
    }

    /// A class because the C parser keeps a pointer to it.
    private final class Builder {
        private let parser: XML_Parser
        private let deepest: Int
        private var open: [(element: XMLElement, text: [UInt8])] = []
        private(set) var root: XMLElement?
        private(set) var hasFailed = false

        init(_ parser: XML_Parser, deepest: Int) {
            self.parser = parser
            self.deepest = deepest
        }

        static func from(_ user: UnsafeMutableRawPointer?) -> Builder? {
            user.map { Unmanaged<Builder>.fromOpaque($0).takeUnretainedValue() }
        }

        func fail() {
            hasFailed = true
            XML_StopParser(parser, 0)
        }

        func start(_ name: UnsafePointer<CChar>?) {
            guard !hasFailed, let name else { return }
            guard open.count < deepest else { return fail() }
            let local = String(cString: name).split(separator: " ").last.map(String.init) ?? ""
            open.append((XMLElement(name: local), []))
        }

        func add(_ text: UnsafeRawBufferPointer) {
            guard !hasFailed, !open.isEmpty else { return }
            open[open.count - 1].text += text
        }

        func end() {
            guard !hasFailed, let (started, text) = open.popLast() else { return }
            var element = started
            element.text = String(decoding: text, as: UTF8.self)
            if open.isEmpty { root = element } else { open[open.count - 1].element.children.append(element) }
        }
    }
}

extension String {
    /// The text as it may stand in an element.
    var escapedForXML: String {
        var result = ""
        for character in unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
