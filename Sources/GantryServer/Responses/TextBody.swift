import DICOMCore
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON or XML body, compressed when the client asks for it and it pays.
enum TextBody {
    private static let leastWorthwhile = 1024

    /// Whether the client takes gzip (RFC 9110 12.5.3).
    static func acceptsGzip(_ request: Request) -> Bool {
        for field in request.headers[values: .acceptEncoding] {
            for item in field.split(separator: ",") {
                let parts = item.split(separator: ";").map(\.trimmingSpaces)
                guard let coding = parts.first?.lowercased(), coding == "gzip" || coding == "*" else { continue }
                return !parts.dropFirst().contains { $0.hasPrefix("q=0") && !$0.contains(where: { "123456789".contains($0) }) }
            }
        }
        return false
    }

    /// An answer with these bytes.
    static func response(
        _ bytes: [UInt8], contentType: String, gzip: Bool, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers: HTTPFields = [.contentType: contentType, .vary: "Accept, Accept-Encoding"]
        guard gzip, bytes.count >= leastWorthwhile else {
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        headers[.contentEncoding] = "gzip"
        let deflater = Deflater(.gzip, level: 1)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4)
        bytes.withUnsafeBytes { deflater.receive($0, into: &output) }
        deflater.finish(into: &output)
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: output)))
    }
}
