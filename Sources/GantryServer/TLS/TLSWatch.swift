import Logging
import NIOPosix
import Observability
import ServiceLifecycle
import UnixSignals

/// Reads the certificate anew when its files have changed, which is looked at every ten seconds, and at SIGHUP.
struct TLSWatch: Service {
    let files: TLSFiles
    let logger: Logger

    private static let interval = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while !Task.isCancelled {
                        do { try await Task.sleep(for: Self.interval) } catch { return }
                        await reload()
                    }
                }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { await reload() }
                }
            }
        }
    }

    /// Files that cannot be used are told of and change nothing: half of a renewal may have been written.
    func reload() async {
        do {
            if try await NIOThreadPool.singleton.runIfActive({ try files.reload() }) {
                logger.notice("the certificate was read anew")
            }
        } catch {
            logger.error("the new certificate cannot be used", metadata: .keys([.error: "\(error)"]))
        }
    }
}
