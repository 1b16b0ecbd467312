package import HTTPTypes
package import Hummingbird
import NIOCore
package import Workflows

/// An error answer before it is bytes: `application/problem+json` (RFC 9457).
///
/// Details name headers, tags, offsets and limits, never the value of an attribute.
package struct Problem: Error, Sendable {
    package var kind: ProblemKind
    /// What was wrong with this request.
    package var detail: String
    /// Header fields that belong to the status, such as Allow and Retry-After.
    package var headers: HTTPFields = [:]
    /// Whether the connection is closed after the answer, because the rest of the body is not wanted.
    package var closesConnection = false
    /// More members of the body, such as `errors` with an entry for each thing that was wrong (RFC 9457 3.2).
    package var members: [OrderedJSON.Member] = []

    package init(_ kind: ProblemKind, _ detail: String, headers: HTTPFields = [:]) {
        self.kind = kind
        self.detail = detail
        self.headers = headers
    }

    /// Seconds after which it may go better; `nil` where waiting does not help.
    static func retryAfter(status: Int) -> String? {
        switch status {
        case 503: "5"
        case 507: "30"
        default: nil
        }
    }

    /// The answer.
    package func response(requestID: String) -> Response {
        var json = ByteBuffer()
        json.reserveCapacity(512)
        json.writeString(#"{"type":"urn:gantry:problem:"#)
        json.writeString(kind.rawValue)
        json.writeString(#"","title":"#)
        json.writeJSONString(kind.title)
        json.writeString(#","status":"#)
        json.writeString(String(kind.status))
        json.writeString(#","detail":"#)
        json.writeJSONString(detail)
        json.writeString(#","advice":"#)
        json.writeJSONString(kind.advice)
        json.writeString(#","instance":"#)
        json.writeJSONString("urn:gantry:request:\(requestID)")
        for member in members {
            json.writeString(",")
            json.writeJSONString(member.name)
            json.writeString(":")
            json.writeBytes(member.value.bytes)
        }
        json.writeString("}\n")
        var fields = headers
        fields[.contentType] = "application/problem+json"
        fields[.cacheControl] = "no-store"
        if fields[.retryAfter] == nil { fields[.retryAfter] = Self.retryAfter(status: kind.status) }
        if closesConnection { fields[.connection] = "close" }
        return Response(
            status: .init(code: kind.status), headers: fields, body: ResponseBody(byteBuffer: json))
    }
}

extension ByteBuffer {
    /// Writes a JSON string with its quotes.
    mutating func writeJSONString(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): writeString("\\\"")
            case UInt8(ascii: "\\"): writeString("\\\\")
            case 0x0A: writeString("\\n")
            case 0x00..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                writeString("\\u00" + (digits.count == 1 ? "0" : "") + digits)
            default: writeInteger(byte)
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }
}
