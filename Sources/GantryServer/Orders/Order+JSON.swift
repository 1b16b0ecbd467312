import DICOMCore
import Messaging
import Workflows

extension Order {
    /// The order as answers tell it. Each has the time by which something has to happen.
    func json(rules: OrderRules, now: Int64) -> OrderedJSON {
        .object(members(rules: rules, now: now))
    }

    fileprivate func members(rules: OrderRules, now: Int64) -> [OrderedJSON.Member] {
        let due = failureDue(by: rules)
        var members: [OrderedJSON.Member] = [
            .init("order_id", .string(id.rawValue)), .init("study_uid", OrderedJSON(study?.string)),
            .init("revision", OrderedJSON(revision)), .init("state", .string(state.rawValue)),
            .init("missing", .array(missing.map { .string($0) })),
            .init("deadline", time(due?.time)), .init("deadline_reason", OrderedJSON(due?.cause.rawValue)),
            .init("seconds_left", OrderedJSON(due.map { max(0, ($0.time - now + 999) / 1000) })),
            .init("instances", OrderedJSON(instances)), .init("expected_instances", OrderedJSON(expectedInstances)),
            .init("replacements", OrderedJSON(replacements)),
        ]
        if let failure {
            members.append(.init("reason", .string(failure.rawValue)))
            members.append(.init("detail", .string(detail(of: failure))))
        }
        if let client = owner.client { members.append(.init("client", .string(client))) }
        if let organization = owner.organization { members.append(.init("organization", .string(organization))) }
        members.append(
            .init(
                "times",
                [
                    "created": time(times.created), "first_instance": time(times.firstInstance),
                    "last_instance": time(times.lastInstance), "complete": time(times.complete),
                    "processing": time(times.processing), "ended": time(times.ended), "now": time(now),
                ]))
        return members
    }

    private func time(_ time: Int64?) -> OrderedJSON { OrderedJSON(time.map { CloudEvent.timestamp($0) }) }

    private func detail(of failure: Failure) -> String {
        switch failure {
        case .metadataMissing:
            "Required metadata did not come in time: \(missing.joined(separator: ", ")). The images are stored."
        case .abandoned:
            expectedInstances.map { "Of \($0) instances \(instances) have come." } ?? "No instance has come."
        }
    }
}

extension DescribedOrder {
    /// The order with its metadata and where each value is from.
    func json(rules: OrderRules, now: Int64) -> OrderedJSON {
        .object(
            [.init("metadata", metadata.merged), .init("sources", metadata.sources)]
                + order.members(rules: rules, now: now))
    }
}

extension OrderTimeline {
    /// The order's story.
    func json(rules: OrderRules, now: Int64) -> OrderedJSON {
        let entries = entries.map { entry -> OrderedJSON in
            var members: [OrderedJSON.Member] = [
                .init("time", .string(CloudEvent.timestamp(entry.time))), .init("event", .string(entry.kind.rawValue)),
            ]
            if let client = entry.client { members.append(.init("client", .string(client))) }
            if entry.details != [:] { members.append(.init("details", entry.details)) }
            return .object(members)
        }
        return .object(order.members(rules: rules, now: now) + [.init("timeline", .array(entries))])
    }
}
