import CPostgreSQL
import Glibc
import SQLStorage

/// A connection of libpq in pipeline mode: statements go out without waiting, results come in their order. Belongs to one thread.
final class ServerLink {
    let handle: OpaquePointer
    /// How long the server may stay silent before the connection counts as lost, in milliseconds; `nil` for ever.
    var silenceLimit: Int?
    /// Whether the connection is of no use any more.
    private(set) var isBroken = false

    /// Connects, which blocks until it works or the time is over.
    init(_ options: [String: String]) throws(SQLError) {
        let words = options.sorted { $0.key < $1.key }.map { (strdup($0.key), strdup($0.value)) }
        defer {
            for (keyword, value) in words {
                free(keyword)
                free(value)
            }
        }
        let keywords = words.map { UnsafePointer($0.0) } + [nil]
        let values = words.map { UnsafePointer($0.1) } + [nil]
        guard let handle = PQconnectdbParams(keywords, values, 0) else {
            throw SQLError(.connection, "there is no memory for a connection")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let error = SQLError(connection: handle)
            PQfinish(handle)
            throw error
        }
        // Notices hold values, and nobody reads them.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        self.handle = handle
    }

    deinit { PQfinish(handle) }

    /// Goes over to pipeline mode, in which this stays.
    func beginPipeline() throws(SQLError) {
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    /// What the connection is worth after a while of idleness: `false` when the server has closed it.
    func isAlive() -> Bool {
        guard !isBroken else { return false }
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, 0) > 0, PQconsumeInput(handle) == 0 { isBroken = true }
        if PQstatus(handle) != CONNECTION_OK { isBroken = true }
        return !isBroken
    }

    /// Notes that the connection is of no use, and says why.
    func lost() -> SQLError {
        isBroken = true
        return SQLError(connection: handle)
    }

    // MARK: - Bytes

    /// Sends what libpq holds back, and takes in what comes meanwhile: both sides could else wait for each other.
    func flush() throws(SQLError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1: try wait(for: POLLIN | POLLOUT)
            default: throw lost()
            }
        }
    }

    /// The next result, `nil` behind the last one of a statement. The caller clears it.
    func next() throws(SQLError) -> OpaquePointer? {
        while PQisBusy(handle) == 1 { try wait(for: POLLIN) }
        return PQgetResult(handle)
    }

    private func wait(for events: CInt) throws(SQLError) {
        let start = Self.now
        // TLS may hold bytes back that the socket does not show any more.
        let slice: CInt = PQsslInUse(handle) == 1 ? 100 : 1_000
        while true {
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let ready = poll(&descriptor, 1, slice)
            if ready < 0, errno != EINTR { throw lost() }
            if ready > 0, descriptor.revents & Int16(POLLIN) == 0, descriptor.revents & Int16(POLLOUT) != 0 { return }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
            if ready > 0 { return }
            if PQisBusy(handle) == 0, events & POLLOUT == 0 { return }
            if let silenceLimit, Self.now - start > silenceLimit {
                isBroken = true
                throw SQLError(.connection, "the server has not answered for \(silenceLimit) ms")
            }
        }
    }

    /// Milliseconds of a clock that nobody sets.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
