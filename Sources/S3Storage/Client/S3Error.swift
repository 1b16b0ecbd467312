package import BlobStorage

/// What was asked of the store.
package enum S3Operation: String, Hashable, Sendable {
    case putObject, getObject, headObject, deleteObject, deleteObjects, copyObject, listObjects
    case createUpload, uploadPart, completeUpload, abortUpload, listParts, listUploads
    case assumeRole, probe
}

/// Why the store did not do what it was asked. Names neither keys nor addresses.
package struct S3Error: Error, Hashable, Sendable {
    /// What kind of refusal, as callers tell them apart.
    package enum Code: Hashable, Sendable {
        /// It does not answer, breaks off, or answers 5xx.
        case unavailable
        /// It takes too many requests at once; later it will do.
        case slowDown
        /// The operation did not end by its deadline.
        case timedOut
        /// It does not know us, or does not let us.
        case denied
        /// Its clock and ours differ too much.
        case clockSkewed
        /// Our keys have expired.
        case expiredKeys
        /// The file with the platform's token cannot be read.
        case noToken
        case noSuchBucket
        case notFound
        /// The multipart upload is not there any more.
        case noSuchUpload
        /// What was asked for on a condition, which does not hold.
        case preconditionFailed
        /// Another request for the same key came in between.
        case conflict
        /// The bytes changed on their way.
        case badDigest
        case full
        case outOfBounds
        /// The bucket is in another region or elsewhere.
        case wrongPlace
        /// The store cannot do that.
        case unsupported
        /// The answer has not the form it should have.
        case malformedAnswer
        /// Fewer or more bytes than there should be.
        case wrongLength
        case rejected
        /// The client is closed.
        case closed
    }

    package var code: Code
    package var operation: S3Operation
    /// The answer's status, where there was one.
    package var status: UInt?
    /// The store's own word for it, such as `NoSuchKey`.
    package var serviceCode: String?

    package init(_ code: Code, in operation: S3Operation, status: UInt? = nil, serviceCode: String? = nil) {
        self.code = code
        self.operation = operation
        self.status = status
        // It goes into logs, so it is a word or nothing.
        let isWord =
            serviceCode.map { word in
                word.utf8.count <= 64
                    && word.utf8.allSatisfy {
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || $0 == UInt8(ascii: ".")
                    }
            } ?? false
        self.serviceCode = isWord ? serviceCode : nil
    }

    /// Whether the same request may succeed at another time.
    var isPassing: Bool {
        switch code {
        case .unavailable, .slowDown, .conflict, .badDigest, .wrongLength, .malformedAnswer: true
        case .timedOut, .denied, .clockSkewed, .expiredKeys, .noToken, .noSuchBucket, .notFound, .noSuchUpload,
            .preconditionFailed, .full, .outOfBounds, .wrongPlace, .unsupported, .rejected, .closed:
            false
        }
    }
}

extension S3Error: CustomStringConvertible {
    package var description: String {
        "\(operation.rawValue): \(code)" + (status.map { ", status \($0)" } ?? "")
            + (serviceCode.map { ", \($0)" } ?? "")
    }
}

extension S3Error {
    /// The error that an answer tells.
    init(status: UInt, serviceCode: String?, in operation: S3Operation) {
        self.init(
            Self.code(of: serviceCode) ?? Self.code(of: status), in: operation, status: status, serviceCode: serviceCode
        )
    }

    /// By the service's word, which tells more than the status.
    private static func code(of word: String?) -> Code? {
        switch word {
        case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "Busy",
            "SlowDownRead", "SlowDownWrite":
            .slowDown
        case "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "IncompleteBody",
            "ServerNotInitialized", "XMinioServerNotInitialized":
            .unavailable
        case "RequestTimeTooSkewed": .clockSkewed
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken": .expiredKeys
        case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled", "AccountProblem",
            "InvalidSecurity", "NotSignedUp":
            .denied
        case "NoSuchBucket": .noSuchBucket
        case "NoSuchKey", "NoSuchVersion": .notFound
        case "NoSuchUpload": .noSuchUpload
        case "PreconditionFailed": .preconditionFailed
        case "ConditionalRequestConflict": .conflict
        case "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "InvalidDigest": .badDigest
        case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "XAmzQuotaExceeded": .full
        case "InvalidRange": .outOfBounds
        case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            .wrongPlace
        case "NotImplemented", "MethodNotAllowed": .unsupported
        default: nil
        }
    }

    private static func code(of status: UInt) -> Code {
        switch status {
        case 301, 302, 307, 308: .wrongPlace
        case 401, 403: .denied
        case 404: .notFound
        case 405, 501: .unsupported
        case 408: .unavailable
        case 409: .conflict
        case 412: .preconditionFailed
        case 416: .outOfBounds
        case 429: .slowDown
        case 507: .full
        case 500...: .unavailable
        default: .rejected
        }
    }
}

extension BlobError {
    /// What it means to who keeps blobs in a bucket.
    package init(_ error: S3Error, in operation: StaticString) {
        let code: Code =
            switch error.code {
            case .unavailable, .slowDown, .timedOut, .conflict, .badDigest, .clockSkewed: .unavailable
            case .denied, .expiredKeys, .noToken, .noSuchBucket, .wrongPlace, .unsupported, .rejected: .denied
            case .notFound, .noSuchUpload, .preconditionFailed: .notFound
            case .full: .full
            case .outOfBounds, .wrongLength, .malformedAnswer: .corrupt
            case .closed: .closed
            }
        self.init(code, in: operation)
    }
}
