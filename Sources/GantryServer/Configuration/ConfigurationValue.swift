import Access
import DICOMCore

/// How one kind of value is written in a file, a variable or a flag.
struct ConfigurationNotation<Value: Sendable>: Sendable {
    /// For people: "size, as 64MiB".
    var type: String
    /// `nil` when the text is none of these.
    var read: @Sendable (String) -> Value?
    /// The shortest text that reads back as the value.
    var show: @Sendable (Value) -> String
}

extension ConfigurationNotation where Value == Int {
    static func wholeNumber(_ range: ClosedRange<Int>) -> Self {
        Self(
            type: range.upperBound == .max
                ? "whole number, \(range.lowerBound) or more"
                : "whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } },
            show: { "\($0)" })
    }

    /// Bytes, with a unit of 1,024 or of 1,000.
    static func size(atLeast minimum: Int = 1) -> Self {
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]
        let decimalUnits = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1)]
        return Self(
            type: "size, as 512KiB, 64MiB, 2GiB",
            read: { text in
                let unit = (units + decimalUnits).first { text.hasSuffix($0.0) }
                let digits = text.dropLast(unit?.0.count ?? 0)
                guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) else { return nil }
                let (bytes, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
                return overflow || bytes < minimum ? nil : bytes
            },
            show: { bytes in
                guard let unit = units.last(where: { bytes >= $0.1 && bytes % $0.1 == 0 }) else { return "\(bytes)B" }
                return "\(bytes / unit.1)\(unit.0)"
            })
    }
}

extension ConfigurationNotation where Value == Duration {
    /// Whole milliseconds, seconds, minutes or hours.
    static func time(atLeast minimum: Duration = .zero) -> Self {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        return Self(
            type: "time, as 500ms, 30s, 5m, 1h",
            read: { text in
                guard let unit = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
                let digits = text.dropLast(unit.0.count)
                guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) else { return nil }
                let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.1)
                guard !overflow, milliseconds <= 366 * 86_400_000 else { return nil }
                let duration = Duration.milliseconds(milliseconds)
                return duration < minimum ? nil : duration
            },
            show: { duration in
                let parts = duration.components
                let milliseconds = Int(parts.seconds) * 1_000 + Int(parts.attoseconds / 1_000_000_000_000_000)
                guard milliseconds > 0, let unit = units.last(where: { milliseconds % $0.1 == 0 }) else {
                    return "0s"
                }
                return "\(milliseconds / unit.1)\(unit.0)"
            })
    }
}

extension ConfigurationNotation where Value == Bool {
    static var flag: Self {
        Self(
            type: "true or false",
            read: { text in
                switch text.lowercased() {
                case "true", "yes", "on", "1": true
                case "false", "no", "off", "0": false
                default: nil
                }
            },
            show: { $0 ? "true" : "false" })
    }
}

extension ConfigurationNotation where Value: RawRepresentable, Value.RawValue == String, Value: CaseIterable {
    static var choice: Self {
        Self(
            type: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            read: { Value(rawValue: $0) },
            show: { $0.rawValue })
    }
}

extension ConfigurationNotation where Value == TrustedIssuer {
    /// Members as `name=value` with spaces between them.
    static var trustedIssuer: Self {
        Self(
            type: "issuer, as \"issuer=https://idp.example/ audience=gantry keys=https://idp.example/keys\"",
            read: { text in
                var members: [String: String] = [:]
                for word in text.split(separator: " ") {
                    let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                    guard parts.count == 2, members.updateValue(parts[1], forKey: parts[0]) == nil else { return nil }
                }
                guard let issuer = members.removeValue(forKey: "issuer"),
                    let audience = members.removeValue(forKey: "audience"),
                    let keys = members.removeValue(forKey: "keys"), isWebAddress(keys, allowsQuery: true)
                else { return nil }
                // Over a network the keys are only as good as the connection that they come by.
                let host = keys.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
                guard keys.hasPrefix("https://") || IPAddressKind.isLoopback(String(host)) else { return nil }
                var value = TrustedIssuer(issuer: issuer, audience: audience, keySetURL: keys)
                if let claim = members.removeValue(forKey: "scope") { value.scopeClaim = claim }
                if let claim = members.removeValue(forKey: "organization") { value.organizationClaim = claim }
                if let claim = members.removeValue(forKey: "roles") { value.rolesClaim = claim }
                if let life = members.removeValue(forKey: "life") {
                    guard let seconds = Int64(life), (60...86_400).contains(seconds) else { return nil }
                    value.longestLife = seconds
                }
                value.adminACR = members.removeValue(forKey: "adminACR")
                return members.isEmpty ? value : nil
            },
            show: { value in
                let standard = TrustedIssuer(issuer: "", audience: "", keySetURL: "")
                var words = ["issuer=\(value.issuer)", "audience=\(value.audience)", "keys=\(value.keySetURL)"]
                if value.scopeClaim != standard.scopeClaim { words.append("scope=\(value.scopeClaim)") }
                if value.organizationClaim != standard.organizationClaim {
                    words.append("organization=\(value.organizationClaim)")
                }
                if value.rolesClaim != standard.rolesClaim { words.append("roles=\(value.rolesClaim)") }
                if value.longestLife != standard.longestLife { words.append("life=\(value.longestLife)") }
                if let acr = value.adminACR { words.append("adminACR=\(acr)") }
                return words.joined(separator: " ")
            })
    }
}

extension ConfigurationNotation where Value == TimezoneOffset {
    static var timezoneOffset: Self {
        Self(type: "offset from UTC in quotation marks, as \"+0100\"", read: { Value($0) }, show: { $0.description })
    }
}

extension ConfigurationNotation where Value == String {
    static func text(_ type: String, where holds: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }) -> Self {
        Self(type: type, read: { holds($0) ? $0 : nil }, show: { $0 })
    }

    /// A UID as PS3.5 9 has it.
    static var uid: Self {
        .text("UID") { text in
            text.utf8.count <= 64
                && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { component in
                    !component.isEmpty && component.utf8.allSatisfy { (0x30...0x39).contains($0) }
                }
        }
    }

    /// The keyword of an attribute (PS3.6 6).
    static var keyword: Self {
        .text("keyword, as PatientAge") { DataDictionary.standard.tag(forKeyword: $0) != nil }
    }

    /// An origin as browsers send it: scheme and authority, no path.
    static var origin: Self {
        .text("origin, as https://viewer.example") { text in
            isWebAddress(text) && text.split(separator: "/", omittingEmptySubsequences: false).count == 3
        }
    }

    /// An IP address, or a network as `10.0.0.0/8`.
    static var network: Self {
        .text("IP address or network, as 10.0.0.0/8") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard let address = parts.first, parts.count <= 2 else { return false }
            guard let kind = IPAddressKind(address) else { return false }
            guard parts.count == 2 else { return true }
            return Int(parts[1]).map { (0...kind.bits).contains($0) } ?? false
        }
    }
}

extension ConfigurationNotation where Value == String? {
    /// Empty text is none.
    static func optionalText(_ type: String) -> Self {
        Self(type: type, read: { .some($0.isEmpty ? nil : $0) }, show: { $0 ?? "" })
    }

    static var file: Self { optionalText("path of a file, or empty") }

    /// Shown without the password in it.
    static var databaseURL: Self {
        Self(
            type: "address, as postgres://gantry@db.example/gantry, or empty",
            read: { text in
                if text.isEmpty { return .some(nil) }
                let schemes = ["postgres://", "postgresql://"]
                return schemes.contains { text.hasPrefix($0) && text.count > $0.count } ? .some(text) : nil
            },
            show: { url in
                guard let url, let scheme = url.firstRange(of: "://"), let at = url.lastIndex(of: "@"),
                    let colon = url[scheme.upperBound..<at].firstIndex(of: ":")
                else { return url ?? "" }
                return url[...colon] + ConfigurationKey.mask + url[at...]
            })
    }

    /// A web address without a slash at its end; empty text is none.
    static var address: Self {
        Self(
            type: "address, as https://images.example/pacs, or empty",
            read: { text in
                if text.isEmpty { return .some(nil) }
                var text = text
                while text.hasSuffix("/") { text.removeLast() }
                return isWebAddress(text) ? .some(text) : nil
            },
            show: { $0 ?? "" })
    }
}

/// Whether this is `http://` or `https://` and then a host, without query, fragment, credentials or spaces.
private func isWebAddress(_ text: String, allowsQuery: Bool = false) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
    let rest = text.dropFirst(scheme.count)
    guard let first = rest.utf8.first, first != UInt8(ascii: "/"), first != UInt8(ascii: ":") else { return false }
    return rest.utf8.allSatisfy {
        $0 > 0x20 && $0 < 0x7F && !"#@\"<>\\".utf8.contains($0) && (allowsQuery || $0 != UInt8(ascii: "?"))
    }
}
