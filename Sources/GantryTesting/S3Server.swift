import Glibc

/// A real server with the S3 API, on a free port of the loopback, with one empty bucket.
package struct S3Server: Sendable {
    /// Which program serves.
    package enum Kind: Sendable {
        /// `rclone serve s3` on a folder: checks signatures, presigned URLs and MD5, but no conditions.
        case rclone
        /// `moto_server`: checks conditions, but no signatures. It has no bucket at first.
        case moto
    }

    package static let bucket = "gantry-test"
    package static let accessKeyID = "GANTRYTESTKEY"
    package static let secretAccessKey = "gantry/test+secret"

    package let process: ServerProcess
    package let port: Int

    package var endpoint: String { "http://127.0.0.1:\(port)" }
    /// Where the bucket's objects lie, with `rclone`.
    package var bucketFolder: String { process.folder + "/buckets/" + Self.bucket }

    package static func start(_ kind: Kind = .rclone, isVirtualHost: Bool = false) async throws -> S3Server {
        let programs = tools
        let (process, port) =
            switch kind {
            case .rclone:
                try await ServerProcess.start(programs + "/rclone") { folder in
                    mkdir(folder + "/buckets", 0o700)
                    mkdir(folder + "/buckets/" + bucket, 0o700)
                    return [
                        "serve", "s3", "--config", folder + "/rclone.conf", "--cache-dir", folder + "/cache",
                        "--addr", "127.0.0.1:0", "--auth-key", "\(accessKeyID),\(secretAccessKey)",
                        // Nothing is answered before it is on the disk. Nobody else changes the folder, so its listing may be kept.
                        "--vfs-cache-mode", "off", "--dir-cache-time", "24h", "--poll-interval", "0",
                        "--force-path-style=\(!isVirtualHost)", folder + "/buckets",
                    ]
                } ready: {
                    Self.port(in: $0, behind: "[http://127.0.0.1:", until: "/")
                }
            case .moto:
                try await ServerProcess.start(programs + "/moto_server") { _ in
                    ["-H", "127.0.0.1", "-p", "0"]
                } ready: {
                    Self.port(in: $0, behind: "http://127.0.0.1:", until: "\n")
                }
            }
        return S3Server(process: process, port: port)
    }

    package func stop() async { await process.stop() }

    /// The folder of the programs that `Scripts/setup test` installs.
    private static var tools: String {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let cache = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache"
        return cache + "/gantry/venv/bin"
    }

    private static func port(in text: String, behind mark: String, until end: Character) -> Int? {
        guard let start = text.firstRange(of: mark)?.upperBound, let stop = text[start...].firstIndex(of: end) else {
            return nil
        }
        return Int(text[start..<stop])
    }
}
