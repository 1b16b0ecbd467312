/// Takes events to where others hear them: a webhook, a broker.
package protocol EventPublisher: Sendable {
    /// Delivers one event. Returning means that the receiver has it safely and that it may be forgotten here;
    /// throwing means that it has to be offered again. An event may so arrive twice, always with the same `id`.
    func publish(_ event: OutboxEvent) async throws
}
