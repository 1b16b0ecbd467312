package import Access
package import DICOMCore
package import Logging

/// Everything that can be set, one structure for each part of the program. The initial values are the defaults.
///
/// The keys under which the values are read, and what they mean, are in `ConfigurationKey.all`.
package struct GantryConfiguration: Sendable, Hashable {
    package var role = Role.all
    package var server = Server()
    package var tls = TLS()
    package var core = Core()
    package var wado = WADO()
    /// Whose instances these are, among those of one event processor.
    package var provider = "default"
    package var access = Access()
    package var limits = Limits()
    /// The folder of the embedded database and of the stored instances.
    package var dataFolder = "./gantry-data"
    /// `postgres://user@host/name`; `nil` for the embedded database in the data folder.
    package var databaseURL: String?
    package var sqlite = SQLite()
    package var postgres = Postgres()
    package var s3 = S3()
    package var disk = Disk()
    package var store = Store()
    package var uploads = Uploads()
    package var search = Search()
    package var retrieve = Retrieve()
    package var pixels = Pixels()
    package var delete = Delete()
    package var orders = Orders()
    package var audit = Audit()
    package var strict = Strict()
    package var cors = CORS()
    package var logging = Logs()

    package init() {}

    /// What this process does.
    package enum Role: String, CaseIterable, Sendable {
        case all
        /// Takes instances into a bucket and tells the core.
        case stow
        /// Searches by the core, and retrieves from the bucket.
        case wado
        /// Has the index.
        case core
    }

    /// The way from one role to another.
    package struct Core: Sendable, Hashable {
        /// Where events of stored instances go.
        package var sink: String?
        /// Where the index is asked.
        package var query: String?
        /// The `source` of events; `nil` for that of the role.
        package var eventSource: String?
        package var timeout: Duration = .seconds(30)
    }

    /// Where instances can be had, as events and answers of the core tell it.
    package struct WADO: Sendable, Hashable {
        package var internalEndpoint: String?
        package var externalEndpoint: String?
    }

    /// Where the server listens and what its addresses look like from outside.
    package struct Server: Sendable, Hashable {
        package var host = "127.0.0.1"
        package var port = 8080
        /// Scheme, host and prefix that clients see, without a slash at the end; `nil` takes them from the request.
        package var publicURL: String?
        /// Addresses and networks whose `Forwarded` and `X-Forwarded-…` fields are believed.
        package var trustedProxies: [String] = []
        /// How long requests may go on after the signal to stop.
        package var gracefulStop: Duration = .seconds(30)
    }

    /// How connections are secured.
    package struct TLS: Sendable, Hashable {
        package enum ClientCertificates: String, CaseIterable, Sendable { case off, optional, required }

        /// PEM files: our certificate with those between it and its root, and its key. `nil` for plain HTTP.
        package var certificate: String?
        package var key: String?
        /// Who issues the certificates of clients.
        package var clientCA: String?
        package var clientCertificates = ClientCertificates.off

        package var isOn: Bool { certificate != nil || key != nil }
    }

    /// Who may use the server.
    package struct Access: Sendable, Hashable {
        /// Whether to listen beyond loopback although nobody has to say who they are.
        package var insecure = false
        /// What the tokens of this server name as their issuer; `nil` for the server's address.
        package var issuer: String?
        /// Whom the tokens of this server are for.
        package var audience = "gantry"
        /// Whose tokens are taken beside our own.
        package var trustedIssuers: [TrustedIssuer] = []
    }

    /// Bounds on what one client can make the server hold, read, or wait for.
    package struct Limits: Sendable, Hashable {
        package var headerBytes = 32 * 1_024
        package var headerFields = 100
        package var requestTargetBytes = 16 * 1_024
        package var partHeaderBytes = 8 * 1_024
        package var partHeaderFields = 16
        package var partsPerRequest = 10_000
        package var bytesPerPart = 64 << 30
        package var bytesPerRequest = 256 << 30
        package var concurrentBytes = 256 << 20
        package var idleTimeout: Duration = .seconds(60)
        package var headerTimeout: Duration = .seconds(10)
        package var bodyMinimumRate = 1_024
        package var bodyMinimumWindow: Duration = .seconds(30)
        package var responseTimeout: Duration = .seconds(60)
    }

    /// The embedded database.
    package struct SQLite: Sendable, Hashable {
        package var cacheBytes = 8 << 20
    }

    /// The PostgreSQL server, when there is one.
    package struct Postgres: Sendable, Hashable {
        package var password = ""
        package var connections = 8
        package var statementTimeout: Duration = .seconds(30)
        /// A PEM file of the authorities that may vouch for the server; `nil` for those of the system.
        package var rootCertificate: String?
    }

    /// The S3 bucket of the stored instances.
    package struct S3: Sendable, Hashable {
        /// How the bucket is named in addresses: as the first segment of the path, or as part of the host's name.
        package enum Addressing: String, CaseIterable, Sendable { case path, host }

        /// `nil` keeps instances in the data folder.
        package var bucket: String?
        /// `nil` for Amazon's own in the region.
        package var endpoint: String?
        package var region = "us-east-1"
        package var addressing = Addressing.path
        /// In front of every key.
        package var prefix = ""
        /// Empty: from a web identity, where the environment names one.
        package var accessKeyID = ""
        package var secretAccessKey = ""
        package var sessionToken = ""
        package var rootCertificate: String?
        package var connections = 16
        package var partBytes = 8 << 20
    }

    /// How full the disk of the stored instances may get.
    package struct Disk: Sendable, Hashable {
        /// Percent of the disk in use at which new instances are refused, and at which they are taken again.
        package var highWatermark = 85
        package var lowWatermark = 75
        /// With so many bytes free the watermarks refuse nothing.
        package var ample = 20 << 30
        /// Bytes that are kept free.
        package var reserve = 2 << 30
    }

    /// What happens to instances that arrive.
    package struct Store: Sendable, Hashable {
        package enum StudyMismatch: String, CaseIterable, Sendable { case warn, reject }
        package enum Conflict: String, CaseIterable, Sendable { case window, replace, keepFirst }
        package enum Preamble: String, CaseIterable, Sendable { case keep, zero }

        package var studyMismatch = StudyMismatch.warn
        package var onConflict = Conflict.window
        package var conflictWindow: Duration = .seconds(300)
        package var preamble = Preamble.keep
        package var deniedSOPClasses: [String] = []
        package var acceptsTruncatedPixelData = false
    }

    /// What comes by presigned URLs.
    package struct Uploads: Sendable, Hashable {
        /// How long a URL lives when nobody asks for another time, and the most that can be asked for.
        package var lifetime: Duration = .seconds(15 * 60)
        package var longestLifetime: Duration = .seconds(12 * 3600)
        package var multipartLifetime: Duration = .seconds(24 * 3600)
        /// Bytes of one PUT, and of all parts of an upload.
        package var largestObject = 64 << 30
        package var largestMultipart = 256 << 30
        /// URLs that a client may have out, and may ask for in a second; 0 for as many as it likes.
        package var outstanding = 5_000
        package var issueRate = 1_000
        package var quarantine: Duration = .seconds(7 * 24 * 3600)
        package var history: Duration = .seconds(30 * 24 * 3600)
        package var sweepInterval: Duration = .seconds(60)
        package var workers = 4
        package var archiveEntries = 100_000
        package var archiveBytes = 256 << 30
        package var archiveRatio = 200
    }

    package struct Search: Sendable, Hashable {
        package var maximumResults = 10_000
        /// The zone of stored dates and times whose data set names none.
        package var timezone = TimezoneOffset.utc
    }

    package struct Retrieve: Sendable, Hashable {
        /// What `transfer-syntax=*`-less requests for any representation get.
        package enum WildcardTransferSyntax: String, CaseIterable, Sendable { case littleEndian, stored }

        package var wildcardTransferSyntax = WildcardTransferSyntax.littleEndian
    }

    /// The processes that decode, encode and render frames.
    package struct Pixels: Sendable, Hashable {
        /// 0 for as many as there are processors.
        package var workers = 0
        package var memory = 2 << 30
        package var frameBytes = 512 << 20
        package var timeout: Duration = .seconds(30)
    }

    package struct Delete: Sendable, Hashable {
        package var isOffered = true
    }

    /// How a study goes from its first instance to its report.
    package struct Orders: Sendable, Hashable {
        /// Whether a study that comes without an order makes its own.
        package var isAutomatic = true
        package var quietPeriod: Duration = .seconds(60)
        /// Keywords of attributes.
        package var requiredMetadata = ["PatientAge", "PatientSex"]
        package var metadataDeadline: Duration = .seconds(900)
        package var overwriteWindow: Duration = .seconds(300)
        package var expiryNotice: Duration = .seconds(300)
        package var abandonAfter: Duration = .seconds(7 * 86_400)
        package var reportBytes = 256 << 20
    }

    /// What is on the audit trail besides what is stored and deleted.
    package struct Audit: Sendable, Hashable {
        /// Searches and retrievals.
        package var includesReads = true
    }

    /// Where the standard is stricter than clients are.
    package struct Strict: Sendable, Hashable {
        package var accept = false
        package var query = false
    }

    /// Web pages of other origins.
    package struct CORS: Sendable, Hashable {
        package var origins: [String] = []
    }

    package struct Logs: Sendable, Hashable {
        package enum Format: String, CaseIterable, Sendable { case automatic, json, text }

        package var level = Logger.Level.info
        package var format = Format.automatic
    }
}
