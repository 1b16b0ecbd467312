/// Something that happened to an order, as events, audit trail and timeline tell it.
package enum OrderOccurrence: Hashable, Sendable {
    case created
    case changed(from: OrderState, to: OrderState)
    /// It fails soon if nothing happens.
    case expiring
}

/// A change of state that the order's state does not allow.
package struct OrderStateError: Error, Hashable {
    package var from: OrderState
    package var to: OrderState
}

extension Order {
    /// The one place where an order's state changes. What must not follow is refused.
    mutating func move(to next: OrderState, at time: Int64) throws(OrderStateError) -> OrderOccurrence {
        guard state.successors.contains(next) else { throw OrderStateError(from: state, to: next) }
        let previous = state
        state = next
        switch next {
        case .created: break
        case .receiving: times.complete = nil
        case .complete: times.complete = time
        case .processing: times.processing = time
        case .completed, .failed, .cancelled: times.ended = time
        }
        return .changed(from: previous, to: next)
    }

    /// Whether instances that come without naming it may join.
    ///
    /// While it receives, all do. Once all are there, those do that come within the overwrite window: the order stays the
    /// same and is processed once. Later ones make a new revision.
    func takesInstances(at now: Int64, by rules: OrderRules) -> Bool {
        switch state {
        case .created, .receiving: true
        case .complete, .processing, .completed: isWithinWindow(now, rules)
        case .failed, .cancelled: false
        }
    }

    /// Whether an instance that names it may join: until it is processed at any time.
    func takesNamedInstances(at now: Int64, by rules: OrderRules) -> Bool {
        state == .complete || takesInstances(at: now, by: rules)
    }

    private func isWithinWindow(_ now: Int64, _ rules: OrderRules) -> Bool {
        guard let first = times.firstInstance else { return true }
        return now - first <= rules.overwriteWindow
    }

    /// Notes that an instance has come: the first one sets the deadline, every one begins the quiet period again.
    mutating func receive(at now: Int64, by rules: OrderRules) throws(OrderStateError) -> [OrderOccurrence] {
        if times.firstInstance == nil {
            times.firstInstance = now
            metadataDeadline = now + rules.metadataDeadline
        }
        times.lastInstance = max(times.lastInstance ?? now, now)
        switch state {
        case .created, .complete: return [try move(to: .receiving, at: now)]
        case .receiving, .processing, .completed, .failed, .cancelled: return []
        }
    }

    /// Does what is due by `now`, in the order in which it was due. Asking again gives nothing.
    mutating func advance(to now: Int64, by rules: OrderRules) throws(OrderStateError) -> [OrderOccurrence] {
        var occurrences: [OrderOccurrence] = []
        while let (step, due) = nextStep(by: rules), due <= now {
            switch step {
            case .complete: occurrences.append(try move(to: .complete, at: now))
            case .process: occurrences.append(try move(to: .processing, at: now))
            case .warn:
                isWarned = true
                occurrences.append(.expiring)
            case .fail(let cause):
                // A warning that comes with the failure is none.
                occurrences.removeAll { $0 == .expiring }
                failure = cause
                occurrences.append(try move(to: .failed, at: now))
            }
        }
        return occurrences
    }

    /// When it must be looked at again; `nil` when only somebody else can change it.
    func due(by rules: OrderRules) -> Int64? { nextStep(by: rules)?.due }

    /// When it fails unless something comes, and why.
    package func failureDue(by rules: OrderRules) -> (time: Int64, cause: Failure)? {
        switch state {
        case .created:
            return (times.created + rules.abandonAfter, .abandoned)
        case .receiving:
            let missingAt = missing.isEmpty ? nil : metadataDeadline.map { ($0, Failure.metadataMissing) }
            let abandonedAt = isShort ? times.lastInstance.map { ($0 + rules.abandonAfter, Failure.abandoned) } : nil
            return [missingAt, abandonedAt].compactMap(\.self).min { $0.0 < $1.0 }
        case .complete:
            return missing.isEmpty ? nil : metadataDeadline.map { ($0, .metadataMissing) }
        case .processing, .completed, .failed, .cancelled:
            return nil
        }
    }

    /// Whether fewer instances are there than were announced.
    private var isShort: Bool { expectedInstances.map { instances < $0 } ?? false }

    private enum Step { case complete, process, warn, fail(Failure) }

    private func nextStep(by rules: OrderRules) -> (step: Step, due: Int64)? {
        var steps: [(step: Step, due: Int64)] = []
        if state == .receiving, !isShort, let last = times.lastInstance {
            // An announced number is exact: nothing is waited for.
            steps.append((.complete, expectedInstances == nil ? last + rules.quietPeriod : last))
        }
        if state == .complete, missing.isEmpty, let complete = times.complete { steps.append((.process, complete)) }
        if let (time, cause) = failureDue(by: rules) {
            if !isWarned, cause == .metadataMissing {
                steps.append((.warn, max(time - rules.expiryNotice, times.firstInstance ?? time)))
            }
            steps.append((.fail(cause), time))
        }
        // Of what is due at the same time the first counts: completing comes before failing.
        return steps.enumerated().min { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }?.element
    }
}
