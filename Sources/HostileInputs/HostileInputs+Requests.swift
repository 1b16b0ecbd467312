import DICOMCore
import DICOMWeb

extension HostileInputs {
    /// Lines of an Accept header; the first also as Content-Type, Range, and conditions.
    public static func accept(_ input: [UInt8]) {
        let lines = input.split(separator: 0x0A, maxSplits: 8, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let first = lines.first else { return }
        // 1. Media types can be written and read again.
        for line in lines {
            guard let mediaType = MediaType(line) else { continue }
            hold(MediaType(mediaType.description) == mediaType, "\(mediaType) changes when it is written")
        }
        if case .multipart(let boundary, _)? = try? StoreContentType([first]) {
            hold((1...70).contains(boundary.text.utf8.count), "the length of a boundary")
        }
        // 2. Ranges of bytes are inside the body.
        for length in [0, 1, 1000, Int.max] {
            let range = ByteRange(first, length: length)
            if case .part(let part) = range {
                hold(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= length, "a range outside the body")
            }
            _ = range.contentRange(length: length)
        }
        _ = EntityTag("1").matches(ifNoneMatch: lines)
        _ = EntityTag("1", isWeak: true).matches(ifMatch: lines)
        // 3. Every resource has an answer, or refuses with an error.
        let accept = AcceptHeader(lines)
        hold(accept.ranges.allSatisfy { (0...1000).contains($0.quality) }, "a weight out of range")
        let kinds: [ResourceKind] = [
            .instances, .instance, .metadata, .bulkData, .bulkDataValue, .frames(count: 1), .frames(count: 2),
            .searchResult, .storeResponse, .capabilities,
        ]
        for kind in kinds {
            guard let request = try? RetrieveRequest(kind, accept: lines, query: lines.count > 1 ? [first] : []) else {
                continue
            }
            hold(!request.representations.isEmpty, "an answer in no representation")
            for representation in request.representations { check(representation) }
            for count in 0...2 {
                guard let fitting = try? request.representations(forItems: count) else { continue }
                hold(!fitting.isEmpty, "an answer in no representation")
            }
        }
    }

    private static func check(_ representation: Representation) {
        hold(representation.quality > 0, "an answer that is excluded")
        let contentType = representation.contentType(transferSyntax: "1.2.840.10008.1.2.1")
        hold(MediaType(contentType) != nil, "\(contentType) is no media type")
        let selection = TransferSyntaxSelection()
        for stored in ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50", "1.2.3"] {
            let decisions = [
                selection.instance(stored: stored, wish: representation.transferSyntax),
                selection.octets(stored: stored, wish: representation.transferSyntax),
                selection.pixels(
                    mediaType: representation.mediaType, stored: stored, wish: representation.transferSyntax),
            ]
            for decision in decisions {
                guard case .convert(let target) = decision else { continue }
                let syntax = TransferSyntax(uid: target)
                hold(syntax != nil && syntax?.isImplicitVR == false, "converts to \(target)")
            }
        }
    }

    /// A path, a line feed, a query string, and after another one a Prefer header.
    public static func search(_ input: [UInt8]) {
        let lines = input.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let path = lines.first else { return }
        // 1. Paths can be written and read again.
        var resources: [ResourcePath] = [.studies, .allSeries, .allInstances]
        if let resource = try? ResourcePath(path) {
            hold((try? ResourcePath(resource.description)) == resource, "\(resource) changes when it is written")
            hold(!resource.allowedMethods.isEmpty, "a resource without methods")
            resources.append(resource)
        }
        // 2. A query or an error; nothing of it may break out of a header.
        let query = lines.count > 1 ? lines[1] : path
        for resource in resources {
            do throws(DICOMWebError) {
                let request = try SearchRequest(resource, query: query, prefer: Array(lines.dropFirst(2)))
                hold(resource.searchLevel == request.query.level, "the level of a search")
                hold(request.query.matches.count <= query.utf8.count, "more keys than bytes")
                hold(request.query.includes.count <= query.utf8.count, "more return keys than bytes")
                hold(request.query.offset >= 0 && request.query.limit ?? 0 >= 0, "a page out of range")
                hold(request.warnings.allSatisfy(isHeaderText), "a warning with control characters")
                let page = SearchPage(
                    matches: 1000, offset: request.query.offset, limit: request.query.limit, maximum: 100)
                hold((0...100).contains(page.results) && page.remaining >= 0, "a page out of range")
            } catch {
                hold(!error.title.isEmpty && !error.detail.isEmpty, "an error without words")
                if let warning = error.warning { hold(isHeaderText(warning), "a warning with control characters") }
            }
        }
    }

    private static func isHeaderText(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
    }
}
