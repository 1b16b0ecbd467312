extension ConfigurationKey {
    /// All keys, in the order in which they are shown.
    package static let all: [ConfigurationKey] =
        roles + server + limits + storage + behaviour + uploads + operation

    private static let roles: [ConfigurationKey] = [
        ConfigurationKey(
            "role", \.role, .choice,
            "What this process does: `all`, or one of three that work together (docs/roles.md): `stow` takes instances, `wado` searches and retrieves, `core` has the index."
        ),
        ConfigurationKey(
            "provider", \.provider, .text("name") { !$0.isEmpty && $0.utf8.count <= 255 },
            "Whose instances these are. A core keeps those of one provider; `stow` and `wado` give the same name."),
        ConfigurationKey(
            "core.sink", \.core.sink, .address,
            "Where `stow` sends its events: the core, or another event processor."),
        ConfigurationKey(
            "core.query", \.core.query, .address, "Where `wado` asks: the core's address with `/query` behind it."),
        ConfigurationKey(
            "core.eventSource", \.core.eventSource, .optionalText("URI reference, or empty"),
            "The `source` of events between the roles. Empty: `stow.imaging-ingestion.svc.cluster.local` and so on."),
        ConfigurationKey(
            "core.timeout", \.core.timeout, .time(atLeast: .seconds(1)),
            "How long `stow` and `wado` wait for an answer of the core."),
        ConfigurationKey(
            "wado.internalEndpoint", \.wado.internalEndpoint, .address,
            "Where instances can be had inside the cluster, with `/wado-rs` at its end; stands in events."),
        ConfigurationKey(
            "wado.externalEndpoint", \.wado.externalEndpoint, .address,
            "The same from outside; stands in events, and in the addresses that the core's search results hold."),
    ]

    private static let server: [ConfigurationKey] = [
        ConfigurationKey(
            "server.host", \.server.host, .text("address or host name"),
            "The address to listen on. Anything but loopback needs credentials, as `gantry clients create` and `gantry keys create` make them, or `access.insecure`."
        ),
        ConfigurationKey(
            "server.port", \.server.port, .wholeNumber(0...65_535),
            "The TCP port to listen on; 0 takes a free one."),
        ConfigurationKey(
            "server.publicURL", \.server.publicURL, .address,
            "What clients have before `/dicomweb`, for the addresses in answers. Empty: from the fields of a trusted proxy, else from `Host`."
        ),
        ConfigurationKey(
            list: "server.trustedProxies", \.server.trustedProxies, .network,
            "Peers whose `Forwarded` and `X-Forwarded-*` fields are believed."),
        ConfigurationKey(
            "server.gracefulStop", \.server.gracefulStop, .time(),
            "How long requests may still take after SIGTERM or SIGINT."),
        ConfigurationKey(
            "server.tls.certificate", \.tls.certificate, .file,
            "The server's certificate in PEM form, with those between it and its root behind it. Empty: plain HTTP. Certificate, key and authority are read again when their files change, and at SIGHUP; connections that are open go on."
        ),
        ConfigurationKey(
            "server.tls.key", \.tls.key, .file,
            "The certificate's private key in PEM form. The server does not start when everybody can read the file."),
        ConfigurationKey(
            "server.tls.clientCA", \.tls.clientCA, .file,
            "The certificates, in PEM form, of those who issue the certificates of clients."),
        ConfigurationKey(
            "server.tls.clientCertificates", \.tls.clientCertificates, .choice,
            "Whether clients show a certificate: `off` asks for none, `optional` checks one that is shown, `required` takes no connection without. It binds tokens that name it (`cnf`); it is no credential by itself."
        ),
        ConfigurationKey(
            "access.insecure", \.access.insecure, .flag,
            "Allows an address beyond loopback although there are no credentials and anybody who reaches it can read, store and delete. Set it only behind something that checks who asks."
        ),
        ConfigurationKey(
            "access.issuer", \.access.issuer, .address,
            "The issuer that tokens of this server name (`iss`). Empty: `server.publicURL`, else the address it listens on. All processes on one database have the same."
        ),
        ConfigurationKey(
            "access.audience", \.access.audience,
            .text("text without spaces", where: { !$0.isEmpty && !$0.contains(" ") }),
            "Whom tokens of this server are for (`aud`)."),
        ConfigurationKey(
            list: "access.trustedIssuers", \.access.trustedIssuers, .trustedIssuer,
            "Issuers whose tokens are taken beside those of this server. `keys` is the address of their key set (JWKS); `scope`, `organization` and `roles` name claims, `scope`, `org` and `roles` by default; `life` is the longest life of a token in seconds, 3600 by default; with `adminACR` a token's scope `admin` counts only when its `acr` is that."
        ),
    ]

    private static let limits: [ConfigurationKey] = [
        ConfigurationKey(
            "limits.headerBytes", \.limits.headerBytes, .size(atLeast: 1_024),
            "All header fields of a request together; more is answered with 431."),
        ConfigurationKey(
            "limits.headerFields", \.limits.headerFields, .wholeNumber(8...10_000),
            "Number of header fields of a request; more is answered with 431."),
        ConfigurationKey(
            "limits.requestTargetBytes", \.limits.requestTargetBytes, .size(atLeast: 256),
            "Path and query of a request; more is answered with 414."),
        ConfigurationKey(
            "limits.partHeaderBytes", \.limits.partHeaderBytes, .size(atLeast: 256),
            "The header of one part of a multipart body."),
        ConfigurationKey(
            "limits.partHeaderFields", \.limits.partHeaderFields, .wholeNumber(1...1_000),
            "Number of header fields of one part."),
        ConfigurationKey(
            "limits.partsPerRequest", \.limits.partsPerRequest, .wholeNumber(1...1_000_000),
            "Instances of one store request; more is answered with 413."),
        ConfigurationKey(
            "limits.bytesPerPart", \.limits.bytesPerPart, .size(), "Size of one instance."),
        ConfigurationKey(
            "limits.bytesPerRequest", \.limits.bytesPerRequest, .size(),
            "Size of a whole request body; more is answered with 413."),
        ConfigurationKey(
            "limits.concurrentBytes", \.limits.concurrentBytes, .size(atLeast: 1 << 20),
            "Memory that all request bodies together may hold at a time. A store that finds it used up is answered with 503 before its body is read."
        ),
        ConfigurationKey(
            "limits.idleTimeout", \.limits.idleTimeout, .time(atLeast: .seconds(1)),
            "A connection on which nothing happens for this long is closed."),
        ConfigurationKey(
            "limits.headerTimeout", \.limits.headerTimeout, .time(atLeast: .seconds(1)),
            "The header of a request must be complete within this time."),
        ConfigurationKey(
            "limits.bodyMinimumRate", \.limits.bodyMinimumRate, .size(atLeast: 0),
            "A body that arrives with fewer bytes a second than this, averaged over `limits.bodyMinimumWindow`, is given up with 408."
        ),
        ConfigurationKey(
            "limits.bodyMinimumWindow", \.limits.bodyMinimumWindow, .time(atLeast: .seconds(1)),
            "The time over which `limits.bodyMinimumRate` is averaged."),
        ConfigurationKey(
            "limits.responseTimeout", \.limits.responseTimeout, .time(atLeast: .seconds(1)),
            "A client that takes no byte of its answer for this long is disconnected."),
    ]

    private static let storage: [ConfigurationKey] = [
        ConfigurationKey(
            "data", \.dataFolder, .text("folder"),
            "The folder of the database and of the stored instances. It is made when it is not there. A relative path counts from the working folder."
        ),
        ConfigurationKey(
            "database", \.databaseURL, .databaseURL,
            "A PostgreSQL database as `postgres://user@host:5432/name`, `?sslmode=…` behind it where `verify-full` is not wanted. Empty: the embedded database in the data folder."
        ),
        ConfigurationKey(
            secret: "postgres.password", \.postgres.password,
            "The password, where `database` has none."),
        ConfigurationKey(
            "postgres.connections", \.postgres.connections, .wholeNumber(2...1_000),
            "Connections that one process holds at most."),
        ConfigurationKey(
            "postgres.statementTimeout", \.postgres.statementTimeout, .time(atLeast: .seconds(1)),
            "A statement that takes longer is given up."),
        ConfigurationKey(
            "postgres.rootCertificate", \.postgres.rootCertificate, .file,
            "A PEM file with the authorities that may vouch for the server. Empty: those of the system."),
        ConfigurationKey(
            "objects.s3.bucket", \.s3.bucket, .optionalText("name of a bucket, or empty"),
            "The S3 bucket in which instances are kept. Empty: files in the data folder."),
        ConfigurationKey(
            "objects.s3.endpoint", \.s3.endpoint, .address,
            "The address of the S3 service. Empty: Amazon's in `objects.s3.region`."),
        ConfigurationKey(
            "objects.s3.region", \.s3.region, .text("region"), "The region that requests are signed for."),
        ConfigurationKey(
            "objects.s3.addressing", \.s3.addressing, .choice,
            "Where addresses name the bucket: in the `path`, which every service takes, or in the `host`."),
        ConfigurationKey(
            "objects.s3.prefix", \.s3.prefix, .text("beginning of a key, as gantry/, or empty") { !$0.hasPrefix("/") },
            "What every key begins with, so that others can use the same bucket."),
        ConfigurationKey(
            secret: "objects.s3.accessKeyID", \.s3.accessKeyID,
            "The id of the key that signs requests. Empty: a web identity, where `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN` name one."
        ),
        ConfigurationKey(
            secret: "objects.s3.secretAccessKey", \.s3.secretAccessKey, "The secret that belongs to the key's id."),
        ConfigurationKey(
            secret: "objects.s3.sessionToken", \.s3.sessionToken, "The token of a temporary key."),
        ConfigurationKey(
            "objects.s3.rootCertificate", \.s3.rootCertificate, .file,
            "A PEM file with the authorities that may vouch for the service. Empty: those of the system."),
        ConfigurationKey(
            "objects.s3.connections", \.s3.connections, .wholeNumber(1...1_000),
            "Requests to the service that run at the same time."),
        ConfigurationKey(
            "objects.s3.partBytes", \.s3.partBytes, .size(atLeast: 5 << 20),
            "An instance above this goes up in parts of this size. At most two of them are in memory for each that arrives."
        ),
        ConfigurationKey(
            "sqlite.cache", \.sqlite.cacheBytes, .size(atLeast: 1 << 20),
            "Memory for pages of the embedded database."),
        ConfigurationKey(
            "disk.highWatermark", \.disk.highWatermark, .wholeNumber(1...100),
            "Percent of the disk in use from which on new instances are answered with 507, unless `disk.ample` is free. Readiness says `degraded` from here on. 100 refuses only what `disk.reserve` demands."
        ),
        ConfigurationKey(
            "disk.lowWatermark", \.disk.lowWatermark, .wholeNumber(1...100),
            "Percent of the disk in use at which they are taken again. Not more than `disk.highWatermark`."),
        ConfigurationKey(
            "disk.ample", \.disk.ample, .size(atLeast: 0),
            "While this much is free, the watermarks refuse nothing: a tenth of a large disk is still much. 1024TiB has them count on every disk."
        ),
        ConfigurationKey(
            "disk.reserve", \.disk.reserve, .size(atLeast: 0),
            "What is kept free for the database and logs, of a small disk at most a twentieth. An instance that would go beyond fails with reason A700H while it arrives."
        ),
    ]

    private static let behaviour: [ConfigurationKey] = [
        ConfigurationKey(
            "store.studyMismatch", \.store.studyMismatch, .choice,
            "An instance whose Study Instance UID is not the one of the address: `warn` stores it under its own study and says so, `reject` fails it."
        ),
        ConfigurationKey(
            "store.onConflict", \.store.onConflict, .choice,
            "A known SOP Instance UID with other contents: `window` replaces the instance while `store.window` is open and fails later ones, `replace` always replaces, `keepFirst` always fails the later one."
        ),
        ConfigurationKey(
            "store.window", \.store.conflictWindow, .time(),
            "How long after a study's first instance others of it may be replaced."),
        ConfigurationKey(
            "store.preamble", \.store.preamble, .choice,
            "The 128 bytes before `DICM`: `keep` returns them as they came, `zero` clears them."),
        ConfigurationKey(
            list: "store.deniedSOPClasses", \.store.deniedSOPClasses, .uid,
            "Instances of these SOP Classes fail with reason 0122H."),
        ConfigurationKey(
            "store.acceptTruncatedPixelData", \.store.acceptsTruncatedPixelData, .flag,
            "Takes an instance whose uncompressed pixel data ends before its last frame; what is there of it is kept as it came. Otherwise it fails with reason C000H."
        ),
        ConfigurationKey(
            "search.maximumResults", \.search.maximumResults, .wholeNumber(1...1_000_000),
            "The most results of one search answer; a greater `limit` is lowered to it, with a warning."),
        ConfigurationKey(
            "search.timezone", \.search.timezone, .timezoneOffset,
            "The offset from UTC of stored dates and times whose data set has no (0008,0201). It counts where a search names a `TimezoneOffsetFromUTC`; others compare local values as they are."
        ),
        ConfigurationKey(
            "retrieve.wildcardTransferSyntax", \.retrieve.wildcardTransferSyntax, .choice,
            "What a request that takes anything gets: `littleEndian` as the standard has it (where that loses nothing), or the `stored` transfer syntax."
        ),
        ConfigurationKey(
            "pixels.workers", \.pixels.workers, .wholeNumber(0...256),
            "Processes that decode and render frames, each one at a time; 0 for as many as there are processors."),
        ConfigurationKey(
            "pixels.memory", \.pixels.memory, .size(atLeast: 256 << 20),
            "Memory that one of these processes may have. A codec that wants more fails on its frame."),
        ConfigurationKey(
            "pixels.frameBytes", \.pixels.frameBytes, .size(atLeast: 1 << 20),
            "Size of one frame without its compression. A larger one is not decoded."),
        ConfigurationKey(
            "pixels.timeout", \.pixels.timeout, .time(atLeast: .seconds(1)),
            "How long the work on one frame may take."),
        ConfigurationKey(
            "delete.enabled", \.delete.isOffered, .flag,
            "Whether DELETE of studies, series and instances is offered; otherwise it is answered with 405."),
        ConfigurationKey(
            "orders.automatic", \.orders.isAutomatic, .flag,
            "Whether a study that comes without an order makes its own. Otherwise only studies whose sender made one have an order."
        ),
        ConfigurationKey(
            "orders.quietPeriod", \.orders.quietPeriod, .time(atLeast: .milliseconds(100)),
            "A study is complete when no instance has come for so long, unless its order says how many there are."),
        ConfigurationKey(
            list: "orders.requiredMetadata", \.orders.requiredMetadata, .keyword,
            "Attributes without which an order is not processed: from the header, a sidecar, or `PATCH /add-metadata`."),
        ConfigurationKey(
            "orders.metadataDeadline", \.orders.metadataDeadline, .time(atLeast: .seconds(1)),
            "An order whose required metadata are not there so long after its first instance fails. Its images stay."),
        ConfigurationKey(
            "orders.overwriteWindow", \.orders.overwriteWindow, .time(),
            "A study that is sent again so long after its first instance stays the same order; later it makes a new one. `store.window` decides whether the instances are replaced."
        ),
        ConfigurationKey(
            "orders.expiryNotice", \.orders.expiryNotice, .time(),
            "The event `gantry.order.expiring.v1` goes out so long before an order fails for its metadata."),
        ConfigurationKey(
            "orders.abandonAfter", \.orders.abandonAfter, .time(atLeast: .seconds(60)),
            "An order that waits for instances fails when none has come for so long."),
        ConfigurationKey(
            "orders.reportBytes", \.orders.reportBytes, .size(), "Size of one report."),
        ConfigurationKey(
            "audit.reads", \.audit.includesReads, .flag,
            "Whether searches and retrievals are on the audit trail, as what is stored and deleted always is. They are written a moment later, alike ones together; a trail that does not keep up loses some and says how many."
        ),
        ConfigurationKey(
            "strict.accept", \.strict.accept, .flag,
            "Answers a request without `Accept` with 406, as the standard has it, and one that mixes DICOM and rendered media types with 400."
        ),
        ConfigurationKey(
            "strict.query", \.strict.query, .flag,
            "Answers an unknown query parameter with 400 instead of a warning."),
        ConfigurationKey(
            list: "cors.origins", \.cors.origins, .origin,
            "Web origins whose pages may use this server."),
    ]

    private static let uploads: [ConfigurationKey] = [
        ConfigurationKey(
            "uploads.lifetime", \.uploads.lifetime, .time(atLeast: .seconds(1)),
            "How long a presigned URL lives when its sender asks for no other time."),
        ConfigurationKey(
            "uploads.longestLifetime", \.uploads.longestLifetime, .time(atLeast: .seconds(1)),
            "The longest life that a sender can ask for."),
        ConfigurationKey(
            "uploads.multipartLifetime", \.uploads.multipartLifetime, .time(atLeast: .seconds(1)),
            "How long an upload in parts may take; then its parts are deleted."),
        ConfigurationKey(
            "uploads.largestObject", \.uploads.largestObject, .size(atLeast: 1 << 20),
            "Size of what one PUT may bring; more is answered with 413. A bucket may take less."),
        ConfigurationKey(
            "uploads.largestMultipart", \.uploads.largestMultipart, .size(atLeast: 1 << 20),
            "Size of an upload in parts."),
        ConfigurationKey(
            "uploads.outstanding", \.uploads.outstanding, .wholeNumber(1...1_000_000),
            "URLs that one client may have out, neither used nor run out; more are answered with 429."),
        ConfigurationKey(
            "uploads.issueRate", \.uploads.issueRate, .wholeNumber(0...1_000_000),
            "URLs that one client may ask for in a second; 0 for as many as it likes."),
        ConfigurationKey(
            "uploads.quarantine", \.uploads.quarantine, .time(),
            "How long an upload that was rejected is kept, so that somebody may look at it."),
        ConfigurationKey(
            "uploads.history", \.uploads.history, .time(atLeast: .seconds(3600)),
            "How long it can be asked what became of an upload."),
        ConfigurationKey(
            "uploads.sweepInterval", \.uploads.sweepInterval, .time(atLeast: .seconds(1)),
            "Time between two looks at what has landed without anybody telling of it, and at URLs that ran out."),
        ConfigurationKey(
            "uploads.workers", \.uploads.workers, .wholeNumber(1...64),
            "How many uploads are ingested at a time. Small ones go together and count as one."),
        ConfigurationKey(
            "uploads.archiveEntries", \.uploads.archiveEntries, .wholeNumber(1...10_000_000),
            "Files and folders of a ZIP archive; one with more is rejected."),
        ConfigurationKey(
            "uploads.archiveBytes", \.uploads.archiveBytes, .size(atLeast: 1 << 20),
            "Size of all files of a ZIP archive together; one that expands to more is rejected."),
        ConfigurationKey(
            "uploads.archiveRatio", \.uploads.archiveRatio, .wholeNumber(2...100_000),
            "How many times its own length a ZIP archive may expand to, once that is more than 64MiB; beyond it is rejected."
        ),
    ]

    private static let operation: [ConfigurationKey] = [
        ConfigurationKey(
            "logging.level", \.logging.level, .choice,
            "The least severe log lines that are written."),
        ConfigurationKey(
            "logging.format", \.logging.format, .choice,
            "How log lines look on standard error: `json` is one object a line, `text` is for people, `automatic` is text on a terminal and JSON elsewhere."
        ),
    ]
}
