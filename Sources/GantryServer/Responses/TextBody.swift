import DICOMCore
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON or XML body, compressed when the client asks for it and it pays.
enum TextBody {
    private static let leastWorthwhile = 1024

    /// Whether the client takes gzip (RFC 9110 12.5.3): by name, else by an asterisk; a weight of zero excludes.
    static func acceptsGzip(_ request: Request) -> Bool {
        var takesAny = false
        for field in request.headers[values: .acceptEncoding] {
            for item in field.split(separator: ",") {
                let parts = item.split(separator: ";").map { $0.trimmingSpaces.lowercased() }
                let isTaken = !parts.dropFirst().contains(where: isZeroWeight)
                switch parts.first {
                case "gzip", "x-gzip": return isTaken
                case "*": takesAny = isTaken
                default: continue
                }
            }
        }
        return takesAny
    }

    private static func isZeroWeight(_ parameter: String) -> Bool {
        let parts = parameter.split(separator: "=", maxSplits: 1).map(\.trimmingSpaces)
        return parts.count == 2 && parts[0] == "q" && parts[1].allSatisfy { $0 == "0" || $0 == "." }
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
