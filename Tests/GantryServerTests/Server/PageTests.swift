import DICOMCore
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Ingestion
import Testing

@testable import GantryServer

@Suite struct PageTests {
    private struct Registry: Decodable {
        var attributes: [String: [String]]
        var uids: [String: String]
    }

    @Test func `the page lets a browser load nothing but its own files, and each of them is there`() async throws {
        try await ServerHarness.run { (server) async throws in
            let page = try await server.send(.get, "/")
            #expect(page.status == 200)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            for asset in PageAsset.all where asset.type != .html {
                let answer = try await server.send(.get, "/page/\(asset.name)")
                #expect(answer.status == 200, "\(asset.name)")
                #expect(answer.headers[.contentType] == asset.type.rawValue, "\(asset.name)")
                #expect(Array(answer.body.utf8) == asset.bytes, "\(asset.name)")
                try expectGuarded(answer)
            }
            try expectGuarded(page)
            // No script or style stands in the document, and no address leads elsewhere.
            #expect(!page.body.contains("<style") && !page.body.contains(" style=") && !page.body.contains(" onclick="))
            for reference in references(in: page.body) {
                #expect(reference.hasPrefix("page/") || reference.hasPrefix("#") || reference.hasPrefix("dicomweb/"))
                guard reference.hasPrefix("page/") else { continue }
                #expect(try await server.send(.get, "/\(reference)").status == 200, "\(reference)")
            }
            #expect(try await server.send(.get, "/page/none.js").status == 404)
            #expect(try await server.send(.get, "/page/../index.html").status == 404)
            #expect(try await server.send(.post, "/").status == 405)
        }
    }

    private func expectGuarded(_ answer: ServerHarness.Answer) throws {
        let policy = try #require(answer.headers[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'; "))
        #expect(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"))
        #expect(policy.hasSuffix("base-uri 'none'; frame-ancestors 'none'"))
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.referrerPolicy] == "no-referrer")
        #expect(answer.headers[.cacheControl] == "no-cache")
    }

    /// The values of `src` and `href`.
    private func references(in page: String) -> [Substring] {
        ["src=\"", "href=\""].flatMap { mark in
            page.split(separator: mark).dropFirst().compactMap { $0.split(separator: "\"").first }
        }
    }

    @Test func `modules import what exists`() {
        let names = Set(PageAsset.all.map(\.name))
        for asset in PageAsset.all where asset.type == .javascript {
            let text = String(decoding: asset.bytes, as: UTF8.self)
            for module in text.split(separator: " from \"").dropFirst().compactMap({ $0.split(separator: "\"").first })
            where module.hasPrefix("./") {
                #expect(names.contains(String(module.dropFirst(2))), "\(asset.name) imports \(module)")
            }
        }
    }

    @Test(arguments: ["/", "/page/viewer.js", "/page/attributes.json"])
    func `each coding has its entity tag, and the tag gets a 304`(path: String) async throws {
        try await ServerHarness.run { (server) async throws in
            let plain = try await server.send(.get, path)
            let gzipped = try await server.send(.get, path, [.acceptEncoding: "gzip"])
            #expect(plain.headers[.contentEncoding] == nil)
            #expect(gzipped.headers[.contentEncoding] == "gzip")
            #expect(gzipped.byteCount < plain.byteCount)
            let tags = try [#require(plain.headers[.eTag]), #require(gzipped.headers[.eTag])]
            #expect(tags[0] != tags[1] && tags.allSatisfy { $0.hasPrefix("\"") })
            let known = try await server.send(.get, path, [.acceptEncoding: "gzip", .ifNoneMatch: tags[1]])
            #expect(known.status == 304 && known.byteCount == 0 && known.headers[.eTag] == tags[1])
            #expect(try await server.send(.get, path, [.ifNoneMatch: tags[1]]).status == 200)
            let head = try await server.send(.head, path)
            #expect(head.status == 200 && head.byteCount == 0 && head.headers[.eTag] == tags[0])
        }
    }

    @Test func `the registry that the page asks for is the one the server reads by`() throws {
        let registry = try JSONDecoder().decode(Registry.self, from: Data(PageAsset.attributes.bytes))
        #expect(registry.attributes["00100010"] == ["PatientName", "Patient's Name"])
        #expect(registry.attributes["60xx3000"] == ["OverlayData", "Overlay Data"])
        #expect(registry.attributes.count == DataDictionary.standard.registeredAttributes.count)
        for (tag, names) in registry.attributes {
            guard let number = UInt32(tag, radix: 16) else { continue }
            #expect(names.first == DataDictionary.standard.keyword(for: Tag(rawValue: number)) ?? "", "\(tag)")
        }
        #expect(registry.uids["1.2.840.10008.5.1.4.1.1.2"] == "CT Image Storage")
        #expect(registry.uids["1.2.840.10008.1.2.1"] == "Explicit VR Little Endian")
    }

    @Test func `every reason that the store service gives has words on the page`() throws {
        let asset = try #require(PageAsset.all.first { $0.name == "reasons.js" })
        let text = String(decoding: asset.bytes, as: UTF8.self)
        for code in RefusalCause.all.map(\.code) + IngestionWarning.allCases.map(\.code) {
            let digits = String(code, radix: 16, uppercase: true)
            #expect(text.contains("  0x\(String(repeating: "0", count: 4 - digits.count))\(digits): "), "\(digits)")
        }
    }
}
