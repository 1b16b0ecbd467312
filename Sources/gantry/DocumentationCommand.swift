import ArgumentParser
import GantryServer

/// Writes pages of docs/ that are made from definitions in the code.
struct DocumentationCommand: ParsableCommand {
    enum Page: String, CaseIterable, ExpressibleByArgument {
        case configuration, errors, searchAttributes = "search-attributes"
    }

    static let configuration = CommandConfiguration(
        commandName: "documentation", abstract: "Write a generated page of docs/.", shouldDisplay: false)

    @Argument(help: "The page.")
    var page: Page

    func run() {
        switch page {
        case .configuration: Terminal.write(ConfigurationPage().render())
        case .errors: Terminal.write(ErrorsPage().render())
        case .searchAttributes: Terminal.write(SearchAttributesPage().render())
        }
    }
}
