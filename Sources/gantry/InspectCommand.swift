import ArgumentParser
import DICOMCore
import DICOMModels
import Glibc

/// Shows what is in files.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the data sets of DICOM files as text, JSON or XML.",
        discussion: """
            Values that are large, as pixel data, are named with their place in the file. What is irregular about a \
            file is told on standard error. Ends with 1 when a file cannot be read.

            Examples:
              gantry inspect image.dcm
              gantry inspect image.dcm --full
              gantry inspect a.dcm b.dcm --json
            """)

    @Argument(help: "Files.")
    var files: [String]

    @Flag(help: "Write DICOM JSON: an array with one object a file.")
    var json = false

    @Flag(help: "Write the Native DICOM Model, one XML document a file.")
    var xml = false

    @Flag(help: "Do not shorten values.")
    var full = false

    func validate() throws {
        if json, xml { throw ValidationError("--json and --xml exclude each other.") }
    }

    func run() async throws {
        var failures = 0
        var document: [UInt8] = []
        for path in files {
            guard let bytes = SmallFile.contents(atPath: path) else {
                Terminal.writeError("gantry: \(path): \(String(cString: strerror(errno)))\n")
                failures += 1
                continue
            }
            do throws(DataSetReadError) {
                let file = try Part10Reader.read(bytes)
                for finding in file.findings { Terminal.writeError("\(path): \(finding)\n") }
                if json {
                    if !document.isEmpty { document.append(UInt8(ascii: ",")) }
                    var writer = DICOMJSONWriter(bulkData: BulkDataPolicy(base: path))
                    writer.write(file.dataSet, into: &document)
                } else if xml {
                    var writer = NativeModelWriter(bulkData: BulkDataPolicy(base: path))
                    var page: [UInt8] = []
                    writer.write(file.dataSet, into: &page)
                    Terminal.write(page)
                } else {
                    if files.count > 1 { Terminal.write("# \(Terminal.printable(path))\n") }
                    Terminal.write(DataSetListing(isShortened: !full).text(of: file))
                }
            } catch {
                Terminal.writeError("gantry: \(path): \(error)\n")
                failures += 1
            }
        }
        if json { Terminal.write([UInt8(ascii: "[")] + document + Array("]\n".utf8)) }
        if failures > 0 { throw CommandFailure.failed() }
    }
}
