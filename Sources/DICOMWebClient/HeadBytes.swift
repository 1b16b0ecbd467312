import Synchronization

/// Keeps the beginning of what goes by.
final class HeadBytes: Sendable {
    private let kept = Mutex<[UInt8]>([])

    var bytes: [UInt8] { kept.withLock { $0 } }

    func add(_ bytes: UnsafeRawBufferPointer) {
        kept.withLock { kept in
            let room = Part10Head.length - kept.count
            if room > 0 { kept.append(contentsOf: bytes.prefix(room)) }
        }
    }
}
