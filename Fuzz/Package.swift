// swift-tools-version: 6.2
import PackageDescription

/// Fuzz targets (libFuzzer with the address sanitizer); `make fuzz` builds and runs each of them.
///
/// What a target feeds its input to, and what must hold afterwards, is in `HostileInputs` of the main package, where
/// ordinary tests replay `FailCases/` through the same functions.
let targets = ["FuzzPart10", "FuzzJSON", "FuzzXML", "FuzzMultipart", "FuzzAccept", "FuzzSearch", "FuzzCodecs"]

let package = Package(
    name: "gantry-fuzz",
    dependencies: [.package(name: "gantry", path: "..")],
    targets: targets.map { name in
        .executableTarget(
            name: name, dependencies: [.product(name: "HostileInputs", package: "gantry")],
            swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
    }
)
