import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct PublicAddressTests {
    private func url(
        _ fields: HTTPFields, configured: String? = nil, authority: String? = "gw:8080", isTrusted: Bool = true
    ) -> String {
        let head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/", headerFields: fields)
        return PublicAddress(configured: configured) { $0 == "10.0.0.1" && isTrusted }.url(for: head, peer: "10.0.0.1")
    }

    private static let proxy: HTTPFields = [
        .xForwardedProto: "https", .xForwardedHost: "images.example, inner", .xForwardedPrefix: "/pacs/",
    ]

    @Test func `what is configured counts before everything`() {
        #expect(url(Self.proxy, configured: "https://a.example/pacs/") == "https://a.example/pacs")
    }

    @Test func `a trusted proxy tells scheme, host and prefix; another one is not believed`() {
        #expect(url(Self.proxy) == "https://images.example/pacs")
        #expect(url(Self.proxy, isTrusted: false) == "http://gw:8080")
    }

    @Test(arguments: [
        ("proto=https;host=a.example", "https://a.example"), ("for=1.2.3.4; Proto=HTTPS", "http://gw:8080"),
        ("for=1.2.3.4;proto=https, for=2.3.4.5;proto=http", "https://gw:8080"),
        ("host=\"a.example:8443\"", "http://a.example:8443"),
        ("", "http://gw:8080"), ("nonsense", "http://gw:8080"), ("proto=gopher", "http://gw:8080"),
    ])
    func `the Forwarded field is understood, too`(value: String, expected: String) {
        #expect(url([.forwarded: value]) == expected)
    }

    @Test(arguments: [
        ("a\"><script>", "http://localhost"), ("a/b", "http://localhost"), ("user@a", "http://localhost"),
        ("[::1]:80", "http://[::1]:80"),
    ])
    func `only what can be a host is written into answers`(host: String, expected: String) {
        #expect(url([:], authority: host) == expected)
        #expect(url([.xForwardedHost: host]) == expected)
    }

    @Test func `a prefix that is no path is not taken`() {
        #expect(url([.xForwardedPrefix: "pacs"]) == "http://gw:8080")
        #expect(url([.xForwardedPrefix: "/a\"b"]) == "http://localhost")
        #expect(url([:], authority: nil) == "http://localhost")
    }
}
