import Foundation
import Synchronization

/// A TCP proxy on the loopback interface that misbehaves on demand: what a network and a server far away do to a client.
package final class LoopbackProxy: Sendable {
    /// What becomes of bytes.
    package enum Mode: Hashable, Sendable {
        /// They are passed on.
        case pass
        /// They are taken, and nothing comes out at the other end. New connections are accepted, too.
        case swallow
        /// They stay where they are: nothing is read any more.
        case stall
        /// Connections end as soon as they begin.
        case refuse
    }

    /// The port on 127.0.0.1 that clients connect to.
    package let port: Int

    private let target: Int
    private let listener: CInt
    private let state = Mutex(State())

    private struct State {
        var mode = Mode.pass
        var descriptors: Set<CInt> = []
        var isClosed = false
        /// Text after which the connection that sent it is cut.
        var trigger: [UInt8]?
    }

    /// Listens, and connects whoever comes to this port.
    package init(to target: Int) throws {
        self.target = target
        port = try PostgreSQLServer.freePort()
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var yes: CInt = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        guard Self.withAddress(port, { bind(self.listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw PostgreSQLServer.Failure(description: "the proxy cannot listen")
        }
        Thread.detachNewThread { [self] in accept() }
    }

    /// What becomes of bytes, from now on.
    package var mode: Mode {
        get { state.withLock { $0.mode } }
        set { state.withLock { $0.mode = newValue } }
    }

    /// Ends all connections at once, without a farewell.
    package func cut() {
        let descriptors = state.withLock { $0.descriptors }
        for descriptor in descriptors { Self.reset(descriptor) }
    }

    /// Ends the connection over which a client sends this text, behind it: the server gets the text, the client no answer.
    package func cut(behind text: String) { state.withLock { $0.trigger = Array(text.utf8) } }

    /// Ends everything.
    package func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, CInt(SHUT_RDWR))
        cut()
    }

    // MARK: - Connections

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            if state.withLock({ $0.isClosed }) {
                Glibc.close(client)
                break
            }
            guard mode != .refuse else {
                Self.reset(client)
                Glibc.close(client)
                continue
            }
            let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else {
                Glibc.close(server)
                Glibc.close(client)
                continue
            }
            for descriptor in [client, server] {
                var yes: CInt = 1
                setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<CInt>.size))
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            }
            state.withLock { $0.descriptors.formUnion([client, server]) }
            let pair = Pair(self, client, server)
            Thread.detachNewThread { pair.pump(from: client, to: server, isRequest: true) }
            Thread.detachNewThread { pair.pump(from: server, to: client, isRequest: false) }
        }
        Glibc.close(listener)
    }

    /// Both ends of one connection; closed when both directions have ended.
    private final class Pair: Sendable {
        private let proxy: LoopbackProxy
        private let ends: [CInt]

        init(_ proxy: LoopbackProxy, _ client: CInt, _ server: CInt) {
            self.proxy = proxy
            ends = [client, server]
        }

        deinit {
            proxy.state.withLock { $0.descriptors.subtract(ends) }
            for descriptor in ends { Glibc.close(descriptor) }
        }

        func pump(from source: CInt, to target: CInt, isRequest: Bool) {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                while proxy.mode == .stall { usleep(5_000) }
                let count = read(source, &buffer, buffer.count)
                guard count > 0 else { break }
                while proxy.mode == .stall { usleep(5_000) }
                guard proxy.mode != .swallow else { continue }
                let isLast = isRequest && proxy.isTrigger(buffer[..<count])
                if isLast { LoopbackProxy.reset(source) }
                guard send(target, buffer, count, CInt(MSG_NOSIGNAL)) == count, !isLast else { break }
            }
            // The other direction ends with this one.
            shutdown(target, CInt(SHUT_WR))
            if isRequest { shutdown(source, CInt(SHUT_RD)) } else { shutdown(target, CInt(SHUT_RDWR)) }
        }
    }

    private func isTrigger(_ bytes: ArraySlice<UInt8>) -> Bool {
        state.withLock { state in
            guard let trigger = state.trigger,
                bytes.indices.contains(where: { bytes[$0...].starts(with: trigger) })
            else { return false }
            state.trigger = nil
            return true
        }
    }

    /// Ends a connection so that the other side hears of it at once; the descriptor stays for the one who reads it.
    private static func reset(_ descriptor: CInt) {
        shutdown(descriptor, CInt(SHUT_RDWR))
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
