import Foundation
import HostileInputs
import Testing

/// Replays what fuzzing started from and what it found. An input that breaks an invariant ends the test process, which
/// then names the invariant.
@Suite
struct HostileInputsTests {
    enum Target: String, CaseIterable {
        case part10 = "Part10", json = "JSON", xml = "XML", multipart = "Multipart"
        case accept = "Accept", search = "Search", codecs = "Codecs"

        func run(_ bytes: [UInt8]) {
            switch self {
            case .part10: HostileInputs.part10(bytes)
            case .json: HostileInputs.json(bytes)
            case .xml: HostileInputs.xml(bytes)
            case .multipart: HostileInputs.multipart(bytes)
            case .accept: HostileInputs.accept(bytes)
            case .search: HostileInputs.search(bytes)
            case .codecs: HostileInputs.codecs(bytes)
            }
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz")

    private func files(_ kind: String, _ target: Target) throws -> [URL] {
        let folder = Self.folder.appending(path: kind).appending(path: target.rawValue)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    }

    @Test(arguments: Target.allCases)
    func `every invariant holds for the inputs that fuzzing starts from`(target: Target) throws {
        let files = try files("Corpus", target)
        #expect(files.count >= 5)
        for file in files { target.run(Array(try Data(contentsOf: file))) }
    }

    @Test(arguments: Target.allCases)
    func `every invariant holds for the inputs that once broke one`(target: Target) throws {
        for file in try files("FailCases", target) { target.run(Array(try Data(contentsOf: file))) }
    }

    @Test(arguments: Target.allCases)
    func `every invariant holds for every beginning of a small input`(target: Target) throws {
        for file in try files("Corpus", target) {
            let bytes = Array(try Data(contentsOf: file))
            for count in stride(from: 0, to: min(bytes.count, 600), by: 7) { target.run(Array(bytes[..<count])) }
        }
    }
}
