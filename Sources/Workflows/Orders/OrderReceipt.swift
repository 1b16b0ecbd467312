import Access
import Audit
import DICOMCore
import Messaging
import SQLStorage

/// What arrived for an order: each instance with the SHA-256 of its bytes.
package struct OrderReceipt: Hashable, Sendable {
    /// One instance.
    package struct Instance: Hashable, Sendable {
        package var instance: String
        package var digest: [UInt8]
        package var length: Int
        /// In milliseconds since 1970.
        package var receivedAt: Int64
    }

    package var order: Order
    /// In the order of their UIDs.
    package var instances: [Instance]
    /// When the receipt was made.
    package var issuedAt: Int64

    /// The receipt as a JSON object.
    package var json: OrderedJSON {
        [
            "order_id": .string(order.id.rawValue), "study_uid": OrderedJSON(order.study?.string),
            "revision": OrderedJSON(order.revision), "state": .string(order.state.rawValue),
            "issued_at": .string(CloudEvent.timestamp(issuedAt)), "count": OrderedJSON(instances.count),
            "bytes": OrderedJSON(instances.reduce(0) { $0 + $1.length }),
            "instances": .array(instances.map(\.json)),
        ]
    }

    /// The receipt as a JSON Web Signature in its compact form (RFC 7515 7.1), and the JSON that it is over.
    package func signed(by signer: ReceiptSigner) async throws -> (json: [UInt8], signature: String) {
        let payload = json.bytes
        let header: OrderedJSON = [
            "alg": .string(signer.algorithm), "kid": .string(signer.keyID), "typ": "gantry-receipt+jws",
            "cty": "application/json",
        ]
        let input = Base64URL.encode(header.bytes) + "." + Base64URL.encode(payload)
        let signature = try await signer.sign(Array(input.utf8))
        return (payload, input + "." + Base64URL.encode(signature))
    }
}

extension OrderReceipt.Instance {
    fileprivate var json: OrderedJSON {
        [
            "sop_instance_uid": .string(instance), "sha256": .string(Hexadecimal.text(digest)),
            "bytes": OrderedJSON(length), "received_at": .string(CloudEvent.timestamp(receivedAt)),
        ]
    }
}

extension Orders {
    /// What arrived for the order so far.
    package func receipt(_ reference: OrderReference, for requester: OrderRequester) async throws -> OrderReceipt {
        let now = clock()
        return try await read(reference, for: requester) { row, transaction in
            let instances = try transaction.rows(
                """
                SELECT instance, digest, length, received_at FROM order_instances
                WHERE order_number = \(row.number) ORDER BY instance
                """
            ) {
                OrderReceipt.Instance(
                    instance: $0.text(0), digest: $0.bytes(1), length: Int($0.int(2)), receivedAt: $0.int(3))
            }
            return OrderReceipt(order: row.order, instances: instances, issuedAt: now)
        }
    }
}
