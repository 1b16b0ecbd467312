import Access
import DICOMCore
import HTTPTypes
import Hummingbird
import Messaging
import NIOCore
import Workflows

/// Orders: made, described, listed, cancelled, and their reports (uploads.md 3).
struct OrderRoutes: Sendable {
    let orders: Orders
    let reports: ReportRoutes
    /// What signs receipts.
    let signer: @Sendable () async throws -> ReceiptSigner
    let clock: @Sendable () -> Int64

    private static let bodyLimit = 256 << 10
    private static let mostAtOnce = 1000

    func answer(
        _ resource: OrderResource, _ request: Request, context: GantryContext
    ) async throws -> Response {
        guard resource.methods.contains(request.method) else { throw Routes.methodNotAllowed(resource.methods) }
        let requester = OrderRequester(context)
        switch resource {
        case .newOrder: return try await create(request, by: requester)
        case .addMetadata:
            let reference = try request.orderReference
            let described = try await orders.addMetadata(
                try await members(of: request, isRequired: true), to: reference, by: requester)
            return json(described.json(rules: orders.rules, now: clock()))
        case .metadata:
            let described = try await orders.describedOrder(try request.orderReference, for: requester)
            return json(described.json(rules: orders.rules, now: clock()))
        case .status:
            return json(try await orders.order(try request.orderReference, for: requester), status: .ok)
        case .list: return try await list(request, for: requester)
        case .cancel: return json(try await orders.cancel(try request.orderReference, by: requester), status: .ok)
        case .results: return try await reports.answer(request, by: requester, context: context)
        case .timeline(let id):
            return json(try await orders.timeline(.id(id), for: requester).json(rules: orders.rules, now: clock()))
        case .receipt(let id): return try await receipt(id, request, for: requester)
        }
    }

    // MARK: - Making and listing

    private func create(_ request: Request, by requester: OrderRequester) async throws -> Response {
        var draft = Orders.Draft()
        var faults: [MetadataFault] = []
        for member in try await members(of: request, isRequired: false) {
            switch (member.name, member.value) {
            case (_, .null): break
            case ("metadata", .object(let members)): draft.metadata = members
            case ("metadata", _):
                faults.append(MetadataFault(pointer: "/metadata", detail: "The metadata are an object."))
            case ("study_uid", let value):
                draft.study = value.text.flatMap { UID($0) }
                if draft.study == nil { faults.append(MetadataFault(pointer: "/study_uid", detail: "This is no UID.")) }
            case ("expected_instances", let value):
                draft.expectedInstances = value.wholeNumber.flatMap { (1...10_000_000).contains($0) ? Int($0) : nil }
                if draft.expectedInstances == nil {
                    faults.append(
                        MetadataFault(pointer: "/expected_instances", detail: "This is a whole number from 1 up."))
                }
            default:
                faults.append(
                    MetadataFault(
                        pointer: "/" + member.name,
                        detail:
                            "An order is made with metadata, study_uid and expected_instances; values go into metadata."
                    ))
            }
        }
        guard faults.isEmpty else { throw OrderError.invalidMetadata(faults) }
        return json(try await orders.create(draft, by: requester), status: .created)
    }

    private func list(_ request: Request, for requester: OrderRequester) async throws -> Response {
        let parameters = request.uri.queryParameters
        var query = OrderQuery()
        if let state = parameters["state"] {
            guard let known = OrderState(rawValue: String(state)) else {
                let states = OrderState.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.invalidQuery, "The parameter state is one of \(states).")
            }
            query.state = known
        }
        query.since = try request.timeParameter("since")
        query.limit = try request.numberParameter("limit", in: 1...Self.mostAtOnce) ?? 100
        if let cursor = parameters["cursor"], !cursor.isEmpty {
            guard cursor.hasPrefix("o"), let place = Int64(cursor.dropFirst(), radix: 36), place > 0 else {
                throw Problem(.invalidQuery, "The parameter cursor is not one of this list.")
            }
            query.cursor = place
        }
        let page = try await orders.list(query, for: requester)
        let now = clock()
        return json(
            [
                "orders": .array(page.orders.map { $0.json(rules: orders.rules, now: now) }),
                "next": OrderedJSON(page.next.map { "o" + String($0, radix: 36) }),
            ])
    }

    private func receipt(_ id: OrderID, _ request: Request, for requester: OrderRequester) async throws -> Response {
        let signer = try await signer()
        let (payload, signature) = try await orders.receipt(.id(id), for: requester).signed(by: signer)
        if request.headers[values: .accept].contains(where: { $0.contains("application/jose") }) {
            return Response(
                status: .ok, headers: [.contentType: "application/jose", .cacheControl: "no-store", .vary: "Accept"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: signature)))
        }
        var text = Array(#"{"receipt":"#.utf8) + payload
        text += Array(#","jws":"\#(signature)","key":"#.utf8) + signer.publicKey.bytes + Array("}\n".utf8)
        var response = OperationsRoutes.json(.ok, text)
        response.headers[.vary] = "Accept"
        return response
    }

    // MARK: - Bodies

    /// The members of the JSON object that is the body.
    private func members(of request: Request, isRequired: Bool) async throws -> [OrderedJSON.Member] {
        let body = LimitedBody(
            request.body, limit: Self.bodyLimit, coding: try ContentCoding(request.headers[.contentEncoding]))
        var bytes: [UInt8] = []
        for try await chunk in body { bytes.append(contentsOf: chunk.readableBytesView) }
        guard isRequired || !bytes.isEmpty else { return [] }
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.trimmingSpaces.lowercased()
        guard type == "application/json" || type == "application/merge-patch+json" else {
            throw Problem(.unsupportedMediaType, "The body is application/json.")
        }
        let value: OrderedJSON
        do {
            value = try OrderedJSON(parsing: bytes)
        } catch {
            throw Problem(.invalidBody, "The body is no JSON (\(error.code)) at byte \(error.offset).")
        }
        guard let members = value.members else { throw Problem(.invalidBody, "The body is a JSON object.") }
        return members
    }

    private func json(_ order: Order, status: HTTPResponse.Status) -> Response {
        var response = OperationsRoutes.json(
            status, order.json(rules: orders.rules, now: clock()).bytes + Array("\n".utf8))
        if status == .created { response.headers[.location] = "/status?order_id=\(order.id)" }
        return response
    }

    private func json(_ value: OrderedJSON) -> Response { OperationsRoutes.json(.ok, value.bytes + Array("\n".utf8)) }
}

extension OrderRequester {
    init(_ context: GantryContext) {
        self.init(principal: context.principal, address: context.remoteAddress, requestID: context.requestID)
    }
}

extension Request {
    /// The order that `order_id` or `study_uid` names.
    var orderReference: OrderReference {
        get throws {
            let parameters = uri.queryParameters
            switch (parameters["order_id"], parameters["study_uid"]) {
            case (let text?, nil):
                guard let id = OrderID(rawValue: String(text)) else {
                    throw Problem(.invalidQuery, "The parameter order_id is a UUID.")
                }
                return .id(id)
            case (nil, let text?):
                guard let study = UID(text) else { throw Problem(.invalidQuery, "The parameter study_uid is a UID.") }
                return .study(study)
            default:
                throw Problem(.invalidQuery, "One of the parameters order_id and study_uid names the order.")
            }
        }
    }

    /// A whole number within the range; `nil` when the parameter is not there.
    func numberParameter(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = uri.queryParameters[name[...]] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(
                .invalidQuery, "The parameter \(name) is a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// A time in milliseconds since 1970, as RFC 3339 has it or as that number; `nil` when the parameter is not there.
    func timeParameter(_ name: String) throws -> Int64? {
        guard let text = uri.queryParameters[name[...]] else { return nil }
        if let milliseconds = Int64(text), milliseconds >= 0 { return milliseconds }
        guard let milliseconds = TimestampText.milliseconds(text) else {
            throw Problem(.invalidQuery, "The parameter \(name) is a time as 2026-01-31T23:59:59Z.")
        }
        return milliseconds
    }
}

/// Reads times as RFC 3339 has them.
enum TimestampText {
    /// Milliseconds since 1970; `nil` when the text is no time. A date alone is its midnight in UTC.
    static func milliseconds(_ text: some StringProtocol) -> Int64? {
        var reader = Array(text.utf8)[...]
        func digits(_ count: Int) -> Int? {
            guard reader.count >= count else { return nil }
            let part = reader.prefix(count)
            guard part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            reader = reader.dropFirst(count)
            return part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        func take(_ character: Character) -> Bool {
            guard reader.first == character.asciiValue else { return false }
            reader = reader.dropFirst()
            return true
        }
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
            let date = DateValue(year: year, month: month, day: day)
        else { return nil }
        let midnight = Int64(date.daysSince1970) * 86_400_000
        if reader.isEmpty { return midnight }
        guard take("T") || take("t") || take(" "), let hour = digits(2), hour < 24, take(":"), let minute = digits(2),
            minute < 60, take(":"), let second = digits(2), second <= 60
        else { return nil }
        var milliseconds = Int64((hour * 60 + minute) * 60 + second) * 1000
        if take(".") {
            var scale = 100
            var count = 0
            while let digit = digits(1) {
                milliseconds += Int64(digit * scale)
                scale /= 10
                count += 1
            }
            guard count > 0 else { return nil }
        }
        if take("Z") || take("z") { return reader.isEmpty ? midnight + milliseconds : nil }
        // In an address a plus sign is often read as a space.
        let isEast = take("+") || take(" ")
        guard isEast || take("-"), let hours = digits(2), hours < 24, take(":"), let minutes = digits(2), minutes < 60,
            reader.isEmpty
        else { return nil }
        let offset = Int64(hours * 60 + minutes) * 60_000
        return midnight + milliseconds - (isEast ? offset : -offset)
    }
}
