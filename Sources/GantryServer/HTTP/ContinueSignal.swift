import HTTPTypes
import NIOCore
import NIOHTTPTypes

extension GantryContext {
    /// Asks the sender for the body, where it waits to be asked: `100 Continue` (RFC 9110 10.1.1).
    ///
    /// Called once every check that needs no body has passed.
    func askForBody(of head: HTTPRequest) async throws {
        guard head.headerFields[.expect] != nil else { return }
        try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue))).get()
    }
}
