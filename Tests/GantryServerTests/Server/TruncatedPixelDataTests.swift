import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct TruncatedPixelDataTests {
    private static let cut: [UInt8] = {
        var instance = TestInstance()
        instance.frames = 3
        return Array(instance.part10().dropLast(40))
    }()
    private static let path: String = {
        let instance = TestInstance()
        return "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
    }()

    @Test func `an instance whose pixel data ends early is refused unless it is asked for`() async throws {
        try await ServerHarness.run { server in
            let answer = try await server.store(Self.cut)
            #expect(answer.status == 400)
            #expect(answer.body.contains("\(0xC000)"))
            #expect(try await server.send(.get, Self.path).status == 404)
        }
    }

    @Test func `what was taken of it is given back as it came, and the frames that are there`() async throws {
        var configuration = GantryConfiguration()
        configuration.store.acceptsTruncatedPixelData = true
        try await ServerHarness.run(configuration) { server in
            #expect(try await server.store(Self.cut).status == 200)
            let whole = try await server.send(.get, Self.path, [.accept: "application/dicom"])
            #expect(whole.status == 200 && whole.byteCount == Self.cut.count)
            func frame(_ number: Int) async throws -> ServerHarness.Answer {
                try await server.send(
                    .get, "\(Self.path)/frames/\(number)",
                    [.accept: "application/octet-stream; transfer-syntax=*, application/octet-stream"])
            }
            let first = try await frame(1)
            #expect(first.status == 200 && first.byteCount == 36)
            #expect(try await frame(3).status == 404)
            #expect(try await server.send(.get, Self.path + "/metadata").status == 200)
            #expect(try await server.send(.get, Self.path + "/bulkdata").status == 200)
        }
    }
}
