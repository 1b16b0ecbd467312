import AsyncHTTPClient
import DICOMCore
import DICOMModels
import NIOCore
import NIOHTTP1

/// A whole answer.
struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The first value of a field.
    subscript(_ name: String) -> String? { headers.first(name: name) }

    /// The data sets of a DICOM JSON answer; none of an empty one.
    var dataSets: [DataSet] {
        get throws { body.isEmpty ? [] : try DICOMJSONReader.dataSets(from: body) }
    }
}

extension RunningServer {
    /// Sends a request to a path of the DICOMweb service, or with `/` before it to one of the server.
    func send(
        _ method: HTTPMethod, _ path: String, _ fields: KeyValuePairs<String, String> = [:], body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: path.hasPrefix("/") ? address + path : "\(service)/\(path)")
        request.method = method
        for (name, value) in fields { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        let response = try await client.execute(request, timeout: .seconds(120))
        let length = response.headers.first(name: "content-length").flatMap(Int.init) ?? 0
        var bytes: [UInt8] = []
        if method != .HEAD { bytes.reserveCapacity(length) }
        for try await piece in response.body { bytes.append(contentsOf: piece.readableBytesView) }
        return Answer(status: Int(response.status.code), headers: response.headers, body: bytes)
    }

    func get(_ path: String, _ fields: KeyValuePairs<String, String> = [:]) async throws -> Answer {
        try await send(.GET, path, fields)
    }

    /// Stores files in one request.
    func store(_ files: [[UInt8]], study: String? = nil, query: String = "") async throws -> StoreAnswer {
        let path = (study.map { "studies/\($0)" } ?? "studies") + query
        return StoreAnswer(
            try await send(.POST, path, ["Content-Type": StoreBody.contentType], body: StoreBody.multipart(files)))
    }

    /// The bytes of an instance as they are stored.
    func stored(_ path: String) async throws -> Answer {
        try await get(path, ["Accept": "application/dicom; transfer-syntax=*"])
    }

    /// How many studies, series or instances a search finds.
    func count(_ path: String) async throws -> Int {
        let answer = try await get(path)
        return answer.status == 204 ? 0 : try answer.dataSets.count
    }
}

/// The answer to a store request.
struct StoreAnswer: Sendable {
    /// An item of one of the module's sequences.
    struct Item: Hashable, Sendable {
        var instance: String?
        var url: String?
        var reason: Int?
        var warning: Int?
    }

    var answer: Answer
    var status: Int { answer.status }

    init(_ answer: Answer) { self.answer = answer }

    var stored: [Item] { items(.referencedSOPSequence) }
    var failed: [Item] { items(.failedSOPSequence) }
    var others: [Item] { items(.otherFailuresSequence) }

    private func items(_ sequence: Tag) -> [Item] {
        guard let module = try? answer.dataSets.first else { return [] }
        return module.items(for: sequence).map { item in
            Item(
                instance: item.string(for: .referencedSOPInstanceUID), url: item.string(for: .retrieveURL),
                reason: item.int(for: .failureReason), warning: item.int(for: .warningReason))
        }
    }
}

/// Bodies of store requests.
enum StoreBody {
    static let boundary = "integration-test-boundary"
    static let contentType = #"multipart/related; type="application/dicom"; boundary=\#(boundary)"#
    static let partBegins = Array("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8)
    static let end = Array("--\(boundary)--\r\n".utf8)

    static func multipart(_ files: [[UInt8]]) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(files.reduce(100) { $0 + $1.count + 100 })
        for file in files { body += partBegins + file + [0x0D, 0x0A] }
        return body + end
    }
}
