/// Every kind of error answer, with what it means and what the caller can do (RFC 9457).
///
/// The raw value is the last part of the problem's `type`; once published it keeps its meaning. `docs/errors.md` is
/// generated from this list.
package enum ProblemKind: String, CaseIterable, Sendable {
    case badRequest = "bad-request"
    case invalidPath = "invalid-path"
    case invalidFrameList = "invalid-frame-list"
    case invalidBulkDataPath = "invalid-bulkdata-path"
    case invalidQuery = "invalid-query"
    case invalidHeader = "invalid-header"
    case invalidBody = "invalid-body"
    case notIdentified = "not-identified"
    case invalidCredential = "invalid-credential"
    case insufficientScope = "insufficient-scope"
    case notFound = "not-found"
    case noSuchResource = "no-such-resource"
    case noSuchOrder = "no-such-order"
    case noReport = "no-report"
    case methodNotAllowed = "method-not-allowed"
    case notAcceptable = "not-acceptable"
    case requestTimeout = "request-timeout"
    case orderState = "order-state"
    case conflict = "conflict"
    case gone = "gone"
    case tooLarge = "too-large"
    case uriTooLong = "uri-too-long"
    case unsupportedMediaType = "unsupported-media-type"
    case rangeNotSatisfiable = "range-not-satisfiable"
    case expectationFailed = "expectation-failed"
    case damagedPixels = "damaged-pixels"
    case invalidMetadata = "invalid-metadata"
    case tooManyRequests = "too-many-requests"
    case headerTooLarge = "header-too-large"
    case internalError = "internal-error"
    case unavailable = "unavailable"
    case insufficientStorage = "insufficient-storage"
    case urlRefused = "url-refused"
    case noSuchUpload = "no-such-upload"
    case lengthRequired = "length-required"
    case alreadyUploaded = "already-uploaded"
    case checksumMismatch = "checksum-mismatch"
    case tooManyUploads = "too-many-uploads"

    /// The HTTP status code.
    package var status: Int {
        switch self {
        case .badRequest, .invalidPath, .invalidFrameList, .invalidBulkDataPath, .invalidQuery, .invalidHeader,
            .invalidBody, .checksumMismatch:
            400
        case .notIdentified, .invalidCredential: 401
        case .insufficientScope, .urlRefused: 403
        case .notFound, .noSuchResource, .noSuchUpload, .noSuchOrder, .noReport: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .conflict, .orderState: 409
        case .gone: 410
        case .lengthRequired: 411
        case .alreadyUploaded: 412
        case .tooLarge: 413
        case .uriTooLong: 414
        case .unsupportedMediaType: 415
        case .rangeNotSatisfiable: 416
        case .expectationFailed: 417
        case .damagedPixels, .invalidMetadata: 422
        case .tooManyRequests, .tooManyUploads: 429
        case .headerTooLarge: 431
        case .internalError: 500
        case .unavailable: 503
        case .insufficientStorage: 507
        }
    }

    /// The problem in a few words.
    package var title: String {
        switch self {
        case .badRequest: "The request is malformed"
        case .invalidPath: "The path is malformed"
        case .invalidFrameList: "The list of frames is malformed"
        case .invalidBulkDataPath: "The bulk data path is malformed"
        case .invalidQuery: "The query is malformed"
        case .invalidHeader: "A header field cannot be read"
        case .invalidBody: "The body cannot be read"
        case .notIdentified: "The request does not say who asks"
        case .invalidCredential: "The credential is not taken"
        case .insufficientScope: "The credential does not allow this"
        case .notFound: "There is no such path"
        case .noSuchResource: "The archive does not hold this"
        case .noSuchOrder: "There is no such order"
        case .noReport: "The order has no such report yet"
        case .methodNotAllowed: "The resource does not offer this method"
        case .notAcceptable: "No acceptable representation"
        case .requestTimeout: "The request came too slowly"
        case .orderState: "The order's state does not allow this"
        case .conflict: "This does not fit what is there"
        case .gone: "This was deleted"
        case .tooLarge: "The request is too large"
        case .uriTooLong: "The request target is too long"
        case .unsupportedMediaType: "The body's media type is not supported"
        case .rangeNotSatisfiable: "The byte range lies outside the resource"
        case .expectationFailed: "The expectation cannot be met"
        case .invalidMetadata: "The metadata cannot be taken"
        case .damagedPixels: "The stored pixels cannot be decoded"
        case .tooManyRequests: "Too many requests of this kind"
        case .headerTooLarge: "The header block is too large"
        case .internalError: "The server made a mistake"
        case .unavailable: "The server cannot do this now"
        case .insufficientStorage: "The storage is full"
        case .urlRefused: "The presigned URL does not allow this"
        case .noSuchUpload: "There is no such upload or order"
        case .lengthRequired: "The length of the body is missing"
        case .alreadyUploaded: "This URL was used before"
        case .checksumMismatch: "The body has another checksum"
        case .tooManyUploads: "Too many URLs"
        }
    }

    /// What the caller can do about it.
    package var advice: String {
        switch self {
        case .badRequest: "Mend what the detail names and send the request again."
        case .invalidPath: "A UID has 1 to 64 digits and dots, with no empty component (PS3.5 9.1)."
        case .invalidFrameList: "Give frame numbers from 1 up, separated by commas, none of them twice (PS3.18 10.4.1)."
        case .invalidBulkDataPath: "Use a BulkDataURI from the metadata as it stands (PS3.18 F.2.6)."
        case .invalidQuery: "Mend the parameter that the detail names (PS3.18 8.3.4 and 10.6.1)."
        case .invalidHeader: "Mend the header field that the detail names."
        case .invalidBody: "Mend the body where the detail says; nothing of it was stored unless the answer lists it."
        case .notIdentified:
            "Send Authorization: Bearer with a token from /token, or X-API-Key with an API key (docs/access.md)."
        case .invalidCredential:
            "Get a new token from /token, or ask who runs this server for another key (docs/access.md)."
        case .insufficientScope:
            "Ask who runs this server for a client or key with the scope that the detail names (docs/access.md)."
        case .notFound: "The service roots are /dicomweb, /stow-rs and /wado-rs; OPTIONS on a root lists what is there."
        case .noSuchResource: "Search for it with QIDO-RS; parents in the path must be those of the instance."
        case .noSuchOrder:
            "List the orders that you may see with GET /list-orders; orders of others are as if they were not."
        case .noReport: "Ask again when the order is completed; GET /status tells its state."
        case .methodNotAllowed: "Use one of the methods that the Allow field lists."
        case .notAcceptable:
            "Ask with Accept: */* to see what the resource offers, or choose one that the detail names."
        case .requestTimeout:
            "Send faster: header within the deadline, body above the minimum rate (docs/configuration.md)."
        case .orderState:
            "The state in this answer is final or too early for the request. Send the study again for a new order, or wait."
        case .conflict: "Look at what is there, then send what the detail asks for."
        case .gone: "It was deleted on purpose. Store it again if that was a mistake."
        case .tooLarge:
            "Send fewer or smaller parts in one request, ask for a smaller image, or raise the limit (docs/configuration.md)."
        case .uriTooLong: "Shorten the query, for example by asking in several requests."
        case .unsupportedMediaType: "Send one of the types that the Accept-Post field lists."
        case .rangeNotSatisfiable: "The Content-Range field tells the length; ask within it."
        case .expectationFailed: "Only Expect: 100-continue is understood."
        case .invalidMetadata: "Mend what the entries of errors point at, and send all again: nothing was changed."
        case .damagedPixels:
            "Ask with transfer-syntax=* for the bytes as they were stored; the sender has to mend them."
        case .tooManyRequests: "Wait as long as the Retry-After field says."
        case .headerTooLarge: "Send fewer or shorter header fields."
        case .internalError: "Try again; if it stays, report the request id to whoever runs this server."
        case .unavailable: "Wait as long as the Retry-After field says and send the request again."
        case .insufficientStorage:
            "Free or add storage on the server, or change disk.highWatermark, then send again; nothing was lost."
        case .urlRefused: "Ask GET /upload for a fresh URL and PUT to it as it stands, within its time."
        case .noSuchUpload:
            "Uploads and orders of other clients are not shown; compare the key or id with the answer that gave it."
        case .lengthRequired: "Send a Content-Length: a file as it is, not a stream of unknown length."
        case .alreadyUploaded:
            "Look at GET /uploads/{key}: the first object counts. For another one ask for a fresh URL."
        case .checksumMismatch: "Send the object again; if that does not help, it changed since its checksum was made."
        case .tooManyUploads:
            "Use the URLs that are out or let them run out, and ask again after the time in Retry-After."
        }
    }
}
