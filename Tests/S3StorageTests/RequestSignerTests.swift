import Testing

@testable import S3Storage

/// The examples of the documentation of Amazon S3, "Authenticating Requests (AWS Signature Version 4)".
@Suite struct RequestSignerTests {
    private let credentials = S3Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    private let signer = RequestSigner(region: "us-east-1")
    private let time: Int64 = 1_369_353_600_000
    private let host = (name: "host", value: "examplebucket.s3.amazonaws.com")

    private func authorization(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], hash: String = RequestSigner.emptyPayload
    ) -> String? {
        let input = RequestSigner.Input(method: method, headers: headers + [host], path: path, query: query)
        return signer.headers(for: input, payloadHash: hash, credentials: credentials, at: time)
            .first { $0.name == "authorization" }?.value
    }

    private func expected(_ headers: String, _ signature: String) -> String {
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + "SignedHeaders=\(headers),Signature=\(signature)"
    }

    @Test func `signs GET Object as published`() {
        #expect(
            authorization("GET", "/test.txt", headers: [(name: "range", value: "bytes=0-9")])
                == expected(
                    "host;range;x-amz-content-sha256;x-amz-date",
                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"))
    }

    @Test func `signs PUT Object as published`() {
        #expect(
            authorization(
                "PUT", "/" + URIText.encodedPath("test$file.text"),
                headers: [
                    (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"),
                    (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
                ], hash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
                == expected(
                    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
    }

    @Test func `signs GET Bucket Lifecycle as published`() {
        #expect(
            authorization("GET", "/", query: [(name: "lifecycle", value: "")])
                == expected(
                    "host;x-amz-content-sha256;x-amz-date",
                    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
    }

    @Test func `signs a list of objects as published`() {
        #expect(
            authorization("GET", "/", query: [(name: "prefix", value: "J"), (name: "max-keys", value: "2")])
                == expected(
                    "host;x-amz-content-sha256;x-amz-date",
                    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test func `presigns a URL as published`() {
        let input = RequestSigner.Input(method: "GET", headers: [host], path: "/test.txt", query: [])
        let query = signer.presignedQuery(for: input, expires: 86400, credentials: credentials, at: time)
        #expect(
            query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test func `encodes every byte of a key but the unreserved ones and slashes`() {
        let all = String(decoding: (UInt8(1)...UInt8(127)), as: UTF8.self) + "ü€"
        var expected = ""
        for byte in all.utf8 {
            let character = Character(UnicodeScalar(byte))
            if byte < 128, character.isLetter || character.isNumber || "-._~/".contains(character) {
                expected.append(character)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                expected += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        #expect(URIText.encodedPath(all) == expected)
        #expect(URIText.encoded("a/b c") == "a%2Fb%20c")
    }

    @Test func `does not show keys when it prints them`() {
        let secret = S3Credentials(accessKeyID: "ID-7", secretAccessKey: "SECRET-7", sessionToken: "TOKEN-7")
        var text = ""
        dump(secret, to: &text)
        text += "\(secret) \(S3CredentialSource.fixed(secret))"
        #expect(!text.contains("-7"))
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (951_782_400_000, "20000229T000000Z"), (1_795_000_000_000, "20261118T110640Z"),
    ])
    func `writes times and reads them`(milliseconds: Int64, stamp: String) {
        let time = UTCTime(milliseconds: milliseconds)
        #expect(time.stamp == stamp)
        #expect(time.milliseconds == milliseconds)
    }

    @Test func `reads the times of answers`() {
        #expect(UTCTime.milliseconds(httpDate: "Fri, 24 May 2013 00:00:00 GMT") == 1_369_353_600_000)
        #expect(UTCTime.milliseconds(iso: "2013-05-24T00:00:00.250Z") == 1_369_353_600_250)
        #expect(UTCTime.milliseconds(iso: "2013-05-24T00:00:00.000Z") == 1_369_353_600_999)
        #expect(UTCTime.milliseconds(iso: "2013-05-24T00:00:00Z") == 1_369_353_600_999)
        for text in ["", "Z", "2013-05-24", "2013-13-24T00:00:00Z", "Fri, 24 Mai 2013 00:00:00 GMT"] {
            #expect(UTCTime.milliseconds(iso: text) == nil)
            #expect(UTCTime.milliseconds(httpDate: text) == nil)
        }
    }
}
