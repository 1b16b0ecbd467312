public import HTTPTypes

extension StoreResponse {
    /// The status of a store request whose body was read to its end (PS3.18 10.5.3, Table 10.5.3-1).
    ///
    /// | Stored | Refused | |
    /// |---|---|---|
    /// | none | none | 204: there was nothing in it |
    /// | all | | 200, or 202 when one has a warning |
    /// | some | some | 202 |
    /// | none | all | 400 unreadable, 507 no space, 503 an error of ours, else 409 |
    public var status: HTTPResponse.Status {
        var storedCount = 0
        var hasWarning = false
        var reasons: [FailureReason] = []
        for outcome in outcomes {
            switch outcome {
            case .stored(_, let warning):
                storedCount += 1
                hasWarning = hasWarning || warning != nil
            case .failed(_, _, let reason), .unidentified(let reason): reasons.append(reason)
            }
        }
        guard !outcomes.isEmpty else { return .noContent }
        if storedCount > 0 { return reasons.isEmpty && !hasWarning ? .ok : .accepted }
        if reasons.allSatisfy(\.isUnreadable) { return .badRequest }
        if reasons.allSatisfy({ $0 == .outOfResources }) {
            return HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        }
        if reasons.allSatisfy({ $0 == .processingFailure }) { return .serviceUnavailable }
        return .conflict
    }

    /// Text for a `Warning: 299` header: each failure and warning reason once; `nil` when all went well.
    public var warningText: String? {
        var texts: [String] = []
        for outcome in outcomes {
            let text: String
            switch outcome {
            case .stored(_, nil): continue
            case .stored(_, .some(let warning)): text = warning.description
            case .failed(_, _, let reason), .unidentified(let reason): text = reason.description
            }
            if !texts.contains(text) { texts.append(text) }
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }
}
