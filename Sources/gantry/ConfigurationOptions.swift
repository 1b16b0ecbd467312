import ArgumentParser
import GantryServer

/// What all commands take that work with the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file (YAML); also GANTRY_CONFIG.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The folder of the database and the stored instances.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Any key; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    /// File, environment and flags as one configuration. What is wrong with it is a wrong use.
    /// - Parameter flags: further ones, as name, key and value.
    func read(flags further: [(name: String, key: String, value: String?)] = []) throws -> ConfigurationSources.Reading
    {
        let environment = ClusterEnvironment.adding(filesTo: ProcessEnvironment.all) {
            SmallFile.contents(atPath: $0)
        }
        var sources = ConfigurationSources(environment: environment, flags: try flags(further))
        if let path = config ?? sources.environment["GANTRY_CONFIG"] {
            guard let bytes = SmallFile.contents(atPath: path) else {
                throw CommandFailure.wrongUse("cannot read the configuration file \(path)")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CommandFailure.wrongUse("the configuration file \(path) is not UTF-8")
            }
            sources.file = ConfigurationSources.File(path: path, text: text)
        }
        do {
            return try sources.read()
        } catch {
            throw CommandFailure.wrongUse("the configuration cannot be used\n\(error)")
        }
    }

    private func flags(
        _ further: [(name: String, key: String, value: String?)]
    ) throws -> [ConfigurationSources.Flag] {
        var flags: [ConfigurationSources.Flag] = []
        for setting in set {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw CommandFailure.wrongUse("--set takes key=value, not '\(setting)'")
            }
            flags.append(.init(name: "--set", key: String(parts[0]), value: String(parts[1])))
        }
        for (name, key, value) in [("--data", "data", data)] + further {
            if let value { flags.append(.init(name: name, key: key, value: value)) }
        }
        return flags
    }
}
