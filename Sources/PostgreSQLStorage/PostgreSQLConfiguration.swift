import CPostgreSQL
import Glibc
package import SQLStorage

/// Where the PostgreSQL database is, and how it is used. Every value but the place has a working default.
package struct PostgreSQLConfiguration: Sendable {
    /// How the connection is encrypted and the server's certificate checked, in libpq's words (`sslmode`).
    package enum Encryption: String, Hashable, Sendable, CaseIterable {
        case disable, allow, prefer, require
        case verifyCertificate = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// Options by libpq's keywords, as given: `host`, `port`, `dbname`, `user`, `password`, `sslmode` … What is not given here is
    /// chosen when connecting.
    package private(set) var options: [String: String]
    /// Connections that read, and that write, at most. Each is opened, with its thread, when there is work for it.
    package var readers = 5
    package var writers = 3
    /// How long opening a connection may take, in seconds for each of the hosts.
    package var connectTimeout = 5
    /// How long one statement may take, in milliseconds.
    package var statementTimeout = 20_000
    /// How long a statement may wait for a lock of another transaction, in milliseconds.
    package var lockTimeout = 10_000
    /// How long a transaction may do nothing before the server gives it up, in milliseconds.
    package var idleInTransactionTimeout = 15_000
    /// How long a transaction waits for a connection, in milliseconds.
    package var waitTimeout = 10_000
    /// Transactions that wait for a connection at most.
    package var queueLimit = 1_000

    /// Takes a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full` (RFC 3986; libpq's documentation, 34.1.1.2).
    package init(url: String) throws(SQLError) {
        var message: UnsafeMutablePointer<CChar>?
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://"),
            let parsed = PQconninfoParse(url, &message)
        else {
            // libpq quotes the URL, password and all.
            PQfreemem(message)
            throw SQLError(
                .connection,
                "the database's URL cannot be read; postgres://user:password@host:port/database is its form")
        }
        defer { PQconninfoFree(parsed) }
        options = [:]
        var option = parsed
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        for port in (options["port"] ?? "").split(separator: ",") where UInt16(port) == nil {
            throw SQLError(.connection, "the port in the database's URL is no port")
        }
    }

    /// Takes the parts of the place one by one.
    package init(
        host: String, port: Int? = nil, database: String, user: String, password: String? = nil,
        encryption: Encryption? = nil, rootCertificate: String? = nil
    ) {
        options = ["host": host, "dbname": database, "user": user]
        options["port"] = port.map { String($0) }
        options["password"] = password
        options["sslmode"] = encryption?.rawValue
        options["sslrootcert"] = rootCertificate
    }

    /// Who logs in.
    package var user: String? {
        get { options["user"] }
        set { options["user"] = newValue }
    }

    /// The password, where it is not in the URL.
    package var password: String? {
        get { options["password"] }
        set { options["password"] = newValue }
    }

    /// How the connection is encrypted; `nil` lets the place decide, see ``encryptionInForce``.
    package var encryption: Encryption? {
        get { options["sslmode"].flatMap(Encryption.init(rawValue:)) }
        set { options["sslmode"] = newValue?.rawValue }
    }

    /// The file with the certificates that the server's is checked with; `nil` for the system's.
    package var rootCertificate: String? {
        get { options["sslrootcert"] }
        set { options["sslrootcert"] = newValue }
    }

    /// What the server shows as `application_name`.
    package var applicationName: String? {
        get { options["application_name"] }
        set { options["application_name"] = newValue }
    }

    /// Nobody between here and a server elsewhere may listen or answer in its place, unless the configuration says so.
    package var encryptionInForce: Encryption { encryption ?? (isLocal ? .prefer : .verifyFull) }

    /// Host, port and database, without who logs in.
    package var place: String {
        let host = options["host"] ?? options["hostaddr"] ?? "localhost"
        return "\(host):\(options["port"] ?? "5432")/\(options["dbname"] ?? options["user"] ?? "")"
    }

    /// Whether all of the hosts are this machine.
    private var isLocal: Bool {
        (options["hostaddr"] ?? options["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false)
            .allSatisfy { host in
                host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1"
                    || host.hasPrefix("127.")
            }
    }

    /// What libpq is told.
    var connectionOptions: [String: String] {
        var options = options
        func choose(_ keyword: String, _ value: String) { if options[keyword] == nil { options[keyword] = value } }
        options["client_encoding"] = "UTF8"
        options["connect_timeout"] = String(max(2, connectTimeout))
        choose("application_name", "gantry")
        choose("sslmode", encryptionInForce.rawValue)
        if encryptionInForce == .verifyFull || encryptionInForce == .verifyCertificate,
            let file = Self.systemCertificates.first(where: { access($0, R_OK) == 0 })
        {
            choose("sslrootcert", file)
        }
        choose("gssencmode", "disable")
        // A server that has vanished without a word is missed after some seconds, not hours.
        choose("keepalives_idle", "5")
        choose("keepalives_interval", "3")
        choose("keepalives_count", "3")
        choose("tcp_user_timeout", "12000")
        // With several hosts one of them is the primary.
        if (options["host"] ?? options["hostaddr"] ?? "").contains(",") { choose("target_session_attrs", "read-write") }
        return options
    }

    private static let systemCertificates = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]
}

extension PostgreSQLConfiguration: CustomStringConvertible, CustomReflectable {
    /// The place: passwords are not shown.
    package var description: String { place }

    package var customMirror: Mirror { Mirror(self, children: ["place": place]) }
}
