// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 language mode, complete concurrency checking, and no warning left standing.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The arrows between targets are drawn in docs/architecture.md and checked by Scripts/check-layering.
let package = Package(
    name: "gantry",
    products: [
        .library(name: "DICOMCore", targets: ["DICOMCore"]),
        .library(name: "DICOMModels", targets: ["DICOMModels"]),
        .library(name: "DICOMPixels", targets: ["DICOMPixels"]),
        .library(name: "DICOMWeb", targets: ["DICOMWeb"]),
        .library(name: "HostileInputs", targets: ["HostileInputs"]),
        .executable(name: "gantry", targets: ["gantry"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // row 0: system libraries
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "COpenJPEG", pkgConfig: "libopenjp2", providers: [.apt(["libopenjp2-7-dev"])]),
        .systemLibrary(name: "CCharLS", pkgConfig: "charls", providers: [.apt(["libcharls-dev"])]),
        .systemLibrary(name: "CJXL", providers: [.apt(["libjxl-dev"])]),
        // Libraries whose errors must end before they reach Swift: libjpeg's longjmp, OpenJPH's exceptions.
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "COpenJPH", linkerSettings: [.linkedLibrary("openjph")]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CGIF", providers: [.apt(["libgif-dev"])]),
        .systemLibrary(name: "CLCMS", pkgConfig: "lcms2", providers: [.apt(["liblcms2-dev"])]),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),

        // row 1: the standard's own languages, and how we tell what we do
        .target(name: "DICOMCore", dependencies: ["CZlib"], swiftSettings: strict),
        .target(name: "DICOMModels", dependencies: ["DICOMCore", "CExpat"], swiftSettings: strict),
        .target(
            name: "DICOMPixels",
            dependencies: [
                "DICOMCore", "CZlib", "CTurboJPEG", "CJPEG", "COpenJPEG", "CCharLS", "COpenJPH", "CJXL", "CDeflate",
                "CGIF",
                "CLCMS",
            ], swiftSettings: strict),
        .target(
            name: "DICOMWeb",
            dependencies: ["DICOMCore", "DICOMModels", .product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: strict),
        .target(
            name: "Observability",
            dependencies: [
                .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),

        // row 2: outside systems
        .target(
            name: "SQLStorage",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "SQLiteStorage",
            dependencies: [
                "SQLStorage", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"), .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "PostgreSQLStorage",
            dependencies: ["CPostgreSQL", "SQLStorage", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "BlobStorage",
            dependencies: [
                "CLinux", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "S3Storage",
            dependencies: [
                "BlobStorage", "CExpat", "Observability",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .target(
            name: "PixelWorkers",
            dependencies: [
                "CLinux", "DICOMCore", "DICOMPixels", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Messaging", dependencies: ["SQLStorage", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "DICOMWebClient",
            dependencies: [
                "DICOMCore", "DICOMModels", "DICOMWeb",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),

        // row 3: the domain
        .target(
            name: "Archive",
            dependencies: [
                "DICOMCore", "DICOMModels", "DICOMPixels", "SQLStorage", "BlobStorage",
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "Access",
            dependencies: [
                "SQLStorage", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Audit",
            dependencies: ["SQLStorage", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "Ingestion",
            dependencies: [
                "CArchive", "Access", "Archive", "Audit", "Messaging", "Observability", "DICOMCore", "DICOMModels",
                "DICOMPixels",
                "BlobStorage", "SQLStorage", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        .target(
            name: "Workflows",
            dependencies: [
                "Access", "Archive", "Audit", "BlobStorage", "DICOMCore", "Ingestion", "Messaging", "SQLStorage",
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "CoreWire",
            dependencies: [
                "Access", "Archive", "Audit", "Ingestion", "BlobStorage", "DICOMCore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),

        // row 4 and 5: the server and the command
        .target(
            name: "GantryServer",
            dependencies: [
                "CArchive", "CZlib", "PixelWorkers", "DICOMCore", "DICOMModels", "DICOMPixels", "DICOMWeb",
                "Observability",
                "SQLStorage", "BlobStorage", "Messaging", "Access", "Archive", "Audit", "Ingestion", "CoreWire",
                "Workflows",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            exclude: ["Page/Assets"], swiftSettings: strict),
        .executableTarget(
            name: "gantry",
            dependencies: [
                "GantryServer", "PixelWorkers", "SQLiteStorage", "PostgreSQLStorage", "SQLStorage", "BlobStorage",
                "S3Storage", "DICOMWebClient",
                "DICOMCore",
                "DICOMModels", "DICOMWeb", "Access", "Archive", "Audit", "CoreWire", "Ingestion", "Messaging",
                "Observability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // tests
        .target(
            name: "GantryTesting",
            dependencies: [
                "DICOMCore", "SQLStorage", "SQLiteStorage", "PostgreSQLStorage", "BlobStorage",
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "HostileInputs", dependencies: ["DICOMCore", "DICOMModels", "DICOMPixels", "DICOMWeb"],
            swiftSettings: strict),
        .testTarget(name: "HostileInputsTests", dependencies: ["HostileInputs"], swiftSettings: strict),
        .testTarget(name: "DICOMCoreTests", dependencies: ["DICOMCore", "GantryTesting"], swiftSettings: strict),
        .testTarget(
            name: "DICOMModelsTests", dependencies: ["DICOMModels", "DICOMCore", "GantryTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "DICOMPixelsTests",
            dependencies: ["DICOMPixels", "DICOMCore", "GantryTesting", "CTurboJPEG", "CJXL", "CDeflate", "CGIF"],
            exclude: ["Samples"], swiftSettings: strict),
        .testTarget(
            name: "DICOMWebTests",
            dependencies: [
                "DICOMWeb", "DICOMModels", "DICOMCore", "GantryTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SQLStorageTests",
            dependencies: [
                "SQLStorage", "SQLiteStorage", "PostgreSQLStorage", "GantryTesting",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BlobStorageTests",
            dependencies: ["BlobStorage", "GantryTesting", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict),
        .testTarget(
            name: "S3StorageTests",
            dependencies: [
                "S3Storage", "BlobStorage", "GantryTesting",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ArchiveTests",
            dependencies: [
                "Access", "Archive", "Audit", "Messaging", "Ingestion", "SQLStorage", "SQLiteStorage",
                "PostgreSQLStorage",
                "BlobStorage",
                "Workflows", "DICOMCore", "DICOMModels", "DICOMWeb", "GantryTesting",
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AccessTests",
            dependencies: [
                "Access", "SQLStorage", "SQLiteStorage", "GantryTesting",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DICOMWebClientTests",
            dependencies: ["DICOMWebClient", "DICOMWeb", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict),
        .testTarget(
            name: "GantryServerTests",
            dependencies: [
                "GantryServer", "PixelWorkers", "SQLiteStorage", "SQLStorage", "BlobStorage", "Access", "Archive",
                "Audit", "CoreWire", "Ingestion", "Workflows",
                "DICOMCore", "DICOMModels", "DICOMPixels", "DICOMWeb", "Observability", "GantryTesting",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"), .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        // The built server and real clients; no code of the server itself.
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "gantry", "DICOMCore", "DICOMModels", "DICOMWeb", "GantryTesting", "PostgreSQLStorage",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Clients"], swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
