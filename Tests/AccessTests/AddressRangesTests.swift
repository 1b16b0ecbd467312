import Testing

@testable import Access

@Suite struct AddressRangesTests {
    @Test(arguments: [
        (["10.0.0.0/8"], "10.255.0.1", true), (["10.0.0.0/8"], "11.0.0.1", false), (["10.1.2.3"], "10.1.2.3", true),
        (["10.1.2.3"], "10.1.2.4", false), (["0.0.0.0/0"], "1.2.3.4", true), (["0.0.0.0/0"], "::1", false),
        (["fd00::/8"], "fd12::1", true), (["::1"], "::1", true), (["10.0.0.0/33"], "10.0.0.1", false),
        (["proxy.example"], "10.0.0.1", false), (["10.0.0.0/9"], "10.128.0.0", false), ([], "10.0.0.1", false),
        (["10.0.0.0/x"], "10.0.0.1", false), (["1.1.1.1", "192.168.0.0/16"], "192.168.3.4", true),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", true),
    ])
    func `addresses are in the networks that are listed`(networks: [String], address: String, isContained: Bool) {
        #expect(AddressRanges(networks).contains(address) == isContained)
    }

    @Test func `an unknown address is in no network`() {
        #expect(!AddressRanges(["0.0.0.0/0", "::/0"]).contains(nil) && !AddressRanges(["::/0"]).contains("x"))
    }
}
