/// Why a credential was not taken. It never tells more than its bearer may know: unknown and wrong read alike.
package struct AccessError: Error, Hashable {
    package enum Code: Hashable, Sendable {
        /// Not a credential at all.
        case malformed
        /// Unknown, wrong, ended, revoked or meant for somebody else.
        case invalid
        /// A good token whose time has passed; nobody guesses with it.
        case expired
        /// Too many bad tries; seconds until the next one is looked at.
        case throttled(seconds: Int)
        /// What is needed to check it does not answer.
        case unavailable
    }

    package var code: Code
    /// What is wrong, for the log and the audit trail; holds nothing of the credential.
    package var reason: String
    /// The id that the credential claims, for the audit trail; not proven.
    package var claimedID: String?

    package init(_ code: Code, _ reason: String, claimedID: String? = nil) {
        self.code = code
        self.reason = reason
        self.claimedID = claimedID
    }
}
