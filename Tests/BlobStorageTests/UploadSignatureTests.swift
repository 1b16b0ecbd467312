import BlobStorage
import Foundation
import Testing

struct UploadSignatureTests {
    private let key = UploadKey(milliseconds: 1_800_000_000_000)

    private func withLanding(_ body: (DiskUploadLanding) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/signing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let landing = try DiskUploadLanding(
            DiskUploadLandingConfiguration(folder: folder + "/landing", keyFile: folder + "/upload-keys"))
        try await body(landing)
        try await landing.close()
    }

    private func parameters(_ grant: UploadGrant) throws -> [(name: String, value: String)] {
        guard case .gateway(let target) = grant.target else { throw CancellationError() }
        return try #require(target.split(separator: "?").last).split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), String(parts[1]).removingPercentEncoding ?? "")
        }
    }

    @Test
    func `what was granted comes back`() async throws {
        try await withLanding { landing in
            let constraints = UploadConstraints(
                contentLength: 5, sha256: [UInt8](0..<32), contentType: "application/dicom",
                expiresAt: 1_800_000_900_000)
            let whole = try await landing.grant(key, constraints)
            let checked = try UploadSignature.checked(
                key, parameters: parameters(whole), against: landing.signingKeys)
            #expect(checked.subject == .object(key))
            #expect(checked.constraints == constraints)
            #expect(whole.headers.map(\.name) == ["Content-Type", "Content-Length"])

            let upload = MultipartUpload(key: key, id: "0123456789abcdef0123456789abcdef")
            let part = try await landing.grant(part: 7, of: upload, UploadConstraints(expiresAt: 1_800_000_900_000))
            let checkedPart = try UploadSignature.checked(
                key, parameters: parameters(part), against: landing.signingKeys)
            #expect(checkedPart.subject == .part(7, upload))
        }
    }

    @Test
    func `any change of any part is noticed`() async throws {
        try await withLanding { landing in
            let grant = try await landing.grant(
                key,
                UploadConstraints(
                    contentLength: 5, sha256: [UInt8](0..<32), contentType: "application/dicom",
                    expiresAt: 1_800_000_900_000))
            let honest = try parameters(grant)
            func isRefused(_ parameters: [(name: String, value: String)], key: UploadKey? = nil) -> Bool {
                (try? UploadSignature.checked(
                    key ?? self.key, parameters: parameters, against: landing.signingKeys)) == nil
            }
            #expect(!isRefused(honest))
            for index in honest.indices {
                var dropped = honest
                dropped.remove(at: index)
                #expect(isRefused(dropped), "without \(honest[index].name)")
                for character in honest[index].value.indices {
                    var changed = honest
                    let old = changed[index].value[character]
                    changed[index].value.replaceSubrange(character...character, with: old == "1" ? "2" : "1")
                    #expect(isRefused(changed), "with another \(honest[index].name)")
                }
                #expect(isRefused(honest + [honest[index]]), "with \(honest[index].name) twice")
            }
            #expect(isRefused(honest + [("more", "1")]))
            #expect(isRefused(honest + [("part", "1")]))
            #expect(isRefused(honest, key: UploadKey(milliseconds: 1_800_000_000_000)))
            #expect(isRefused([]))
        }
    }

    @Test
    func `fields cannot be moved from one to another`() async throws {
        try await withLanding { landing in
            // The texts one behind the other are the same; the lengths before them are not.
            let upload = MultipartUpload(key: key, id: "0123456789abcdef0123456789abcdef")
            let grant = try await landing.grant(part: 1, of: upload, UploadConstraints(expiresAt: 1_800_000_900_000))
            var moved = try parameters(grant)
            let index = try #require(moved.firstIndex { $0.name == "upload" })
            moved[index].value += "\nkid 8 00000000"
            #expect(throws: UploadSignature.Refusal.altered) {
                try UploadSignature.checked(key, parameters: moved, against: landing.signingKeys)
            }
        }
    }

    @Test
    func `two keys are believed at a time`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/upload-keys"
        let landing = try DiskUploadLanding(
            DiskUploadLandingConfiguration(folder: folder + "/landing", keyFile: file))
        let first = try parameters(try await landing.grant(key, UploadConstraints(expiresAt: 1_800_000_900_000)))
        try landing.signingKeys.rotated().write(to: file)
        try await landing.reloadKeys()
        #expect(throws: Never.self) {
            try UploadSignature.checked(key, parameters: first, against: landing.signingKeys)
        }
        let second = try parameters(try await landing.grant(key, UploadConstraints(expiresAt: 1_800_000_900_000)))
        try landing.signingKeys.rotated().write(to: file)
        try await landing.reloadKeys()
        #expect(throws: UploadSignature.Refusal.unknownKey) {
            try UploadSignature.checked(key, parameters: first, against: landing.signingKeys)
        }
        #expect(throws: Never.self) {
            try UploadSignature.checked(key, parameters: second, against: landing.signingKeys)
        }
        try await landing.close()
    }

    @Test
    func `the key file is the owner's alone, and one that others may read is refused`() throws {
        let file = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        _ = try UploadSigningKeys(file: file)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        #expect(throws: BlobError(.exposed, in: "keys")) { try UploadSigningKeys(file: file) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        try Data("nonsense\n".utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        #expect(throws: BlobError(.corrupt, in: "keys")) { try UploadSigningKeys(file: file) }
    }

    @Test(arguments: [
        "", "incoming/", "incoming/2026/11/21/", "incoming/2026/11/21/a2664acd5e147ff7a6ea3f605006603",
        "incoming/2026/11/21/A2664ACD5E147FF7A6EA3F6050066039", "incoming/2026/13/21/a2664acd5e147ff7a6ea3f6050066039",
        "incoming/2026/11/32/a2664acd5e147ff7a6ea3f6050066039", "incoming/../../11/21/a2664acd5e147ff7a6ea3f6050066039",
        "/incoming/2026/11/21/a2664acd5e147ff7a6ea3f605006603",
        "incoming/2026/11/21/a2664acd5e147ff7a6ea3f6050066039\0",
        "incoming/2026/11/2١/a2664acd5e147ff7a6ea3f6050066039", "incoming//2026/1/21/a2664acd5e147ff7a6ea3f6050066039",
        "quarantine/2026/1/21/a2664acd5e147ff7a6ea3f605006603", "incoming/2026/11/21/a2664acd5e147ff7a6ea3f60500/6039",
    ])
    func `nothing but a key is read as a key`(text: String) {
        #expect(UploadKey(text) == nil)
    }

    @Test(arguments: [
        (0, "incoming/1970/01/01/"), (951_782_400_000, "incoming/2000/02/29/"),
        (1_795_305_599_999, "incoming/2026/11/21/"),
        (1_795_305_600_000, "incoming/2026/11/22/"), (-5, "incoming/1970/01/01/"),
    ])
    func `a key begins with the day of its issue and is read back`(time: Int64, start: String) {
        let key = UploadKey(milliseconds: time)
        #expect(key.description.hasPrefix(start))
        #expect(UploadKey(key.description) == key)
    }
}
