import AsyncHTTPClient
package import DICOMCore
import DICOMModels
import NIOCore
import NIOHTTP1

extension DICOMWebClient {
    /// What a search found.
    package struct SearchAnswer: Sendable {
        /// The body as it came; `[]` when nothing was found.
        package var json: [UInt8]
        /// Texts of `Warning` fields, as that there is more.
        package var warnings: [String]

        /// The results as data sets.
        package func dataSets() throws -> [DataSet] { try DICOMJSONReader.dataSets(from: json) }
    }

    /// Searches (PS3.18 10.6).
    /// - Parameter resource: the path behind the base, as `studies` or `studies/1.2/series`.
    package func search(_ resource: String, query: [(name: String, value: String)] = []) async throws -> SearchAnswer {
        var address = "\(base)/\(resource)"
        if !query.isEmpty {
            address += "?" + query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
        }
        let response = try await sender.send { [address] in
            var request = HTTPClientRequest(url: address)
            request.headers.add(name: "accept", value: "application/dicom+json")
            return request
        }
        let body = Array(try await response.body.collect(upTo: 512 << 20).readableBytesView)
        switch response.status.code {
        case 200: return SearchAnswer(json: body, warnings: response.headers["warning"])
        case 204: return SearchAnswer(json: Array("[]".utf8), warnings: response.headers["warning"])
        default:
            throw DICOMWebAnswerError(
                status: Int(response.status.code), explanation: String(decoding: body.prefix(500), as: UTF8.self))
        }
    }

    /// The text for a query: everything escaped but what is unreserved, and the wildcards, which read better as they are.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: result.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "*"):
                result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
