import Crypto

/// What a presigned URL of the gateway's own grants, and the proof that we granted it: an HMAC-SHA-256 over all of it (security.md C.3).
package struct UploadSignature: Sendable {
    /// The object, or a part of an upload.
    package enum Subject: Hashable, Sendable {
        case object(UploadKey)
        case part(Int, MultipartUpload)

        package var key: UploadKey {
            switch self {
            case .object(let key): key
            case .part(_, let upload): upload.key
            }
        }
    }

    package let subject: Subject
    package let constraints: UploadConstraints

    package init(_ subject: Subject, _ constraints: UploadConstraints) {
        self.subject = subject
        self.constraints = constraints
    }

    /// The query that carries the grant, signed with the first of the keys.
    func query(signedBy keys: UploadSigningKeys) -> String {
        var parameters = parameters
        parameters.append(("kid", keys.current.id))
        let signature = Self.hex(code(with: keys.current))
        var text = ""
        for (name, value) in parameters {
            text += (text.isEmpty ? "" : "&") + name + "=" + Self.percentEncoded(value)
        }
        return text + "&signature=" + signature
    }

    /// Why a URL is not one of ours.
    package enum Refusal: Error, Hashable, Sendable {
        /// Something is missing, twice there, or not as we write it.
        case malformed
        /// Signed with a key that is not in use any more.
        case unknownKey
        /// Not signed by us, or altered since.
        case altered
    }

    /// Reads the query of a request to a key and checks the signature; whether it has expired is for the caller to say.
    ///
    /// - Parameter parameters: Names and values of the query, decoded, in their order.
    package static func checked(
        _ key: UploadKey, parameters: [(name: String, value: String)], against keys: UploadSigningKeys
    ) throws(Refusal) -> UploadSignature {
        var values: [String: String] = [:]
        for (name, value) in parameters {
            guard names.contains(name), values.updateValue(value, forKey: name) == nil else { throw .malformed }
        }
        guard let expires = values["expires"].flatMap(number), expires < Int64.max / 1000, let id = values["kid"],
            let signature = values["signature"].flatMap(bytes), signature.count == SHA256.byteCount
        else { throw .malformed }
        var constraints = UploadConstraints(expiresAt: expires * 1000)
        constraints.contentType = values["type"]
        if let text = values["length"] {
            guard let length = number(text).flatMap({ Int(exactly: $0) }) else { throw .malformed }
            constraints.contentLength = length
        }
        if let text = values["sha256"] {
            guard let digest = bytes(text), digest.count == SHA256.byteCount else { throw .malformed }
            constraints.sha256 = digest
        }
        let subject: Subject
        switch (values["part"], values["upload"]) {
        case (nil, nil): subject = .object(key)
        case (let part?, let upload?):
            guard let part = number(part).flatMap({ Int(exactly: $0) }) else { throw .malformed }
            subject = .part(part, MultipartUpload(key: key, id: upload))
        default: throw .malformed
        }
        let granted = UploadSignature(subject, constraints)
        guard let signingKey = keys.key(id) else { throw .unknownKey }
        // The library compares in constant time.
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                signature, authenticating: granted.signedText(id), using: signingKey.secret)
        else { throw .altered }
        return granted
    }

    private static let names: Set<String> = [
        "expires", "length", "sha256", "type", "part", "upload", "kid", "signature",
    ]

    private var parameters: [(name: String, value: String)] {
        var parameters = [("expires", String(constraints.expiresAt / 1000))]
        if let length = constraints.contentLength { parameters.append(("length", String(length))) }
        if let digest = constraints.sha256 { parameters.append(("sha256", Self.hex(digest))) }
        if let type = constraints.contentType { parameters.append(("type", type)) }
        if case .part(let part, let upload) = subject {
            parameters.append(("part", String(part)))
            parameters.append(("upload", upload.id))
        }
        return parameters
    }

    private func code(with key: UploadSigningKeys.Key) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: signedText(key.id), using: key.secret))
    }

    /// Each field with its length before it, so that no two grants have the same text.
    private func signedText(_ keyID: String) -> [UInt8] {
        var text = Array("gantry-upload-1 PUT ".utf8)
        func add(_ name: String, _ value: String) {
            text.append(contentsOf: "\(name) \(value.utf8.count) \(value)\n".utf8)
        }
        add("key", subject.key.description)
        for (name, value) in parameters { add(name, value) }
        add("kid", keyID)
        return text
    }

    private static func number(_ text: String) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    static func hex(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 0xF))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Lower-case hexadecimal digits only: one text for one value.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    /// Everything but unreserved characters (RFC 3986 2.3).
    private static func percentEncoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: encoded.append(byte)
            default: encoded.append(contentsOf: Array("%".utf8) + hex([byte]).uppercased().utf8)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
