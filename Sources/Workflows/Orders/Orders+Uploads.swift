import Access
import BlobStorage
import DICOMCore
package import Ingestion
import SQLStorage

extension Orders {
    /// What uploads ask of orders.
    package var forUploads: UploadOrders {
        UploadOrders(
            check: { id, principal in
                guard let id = OrderID(rawValue: id) else { return .unknown }
                do {
                    try await checkTakesUploads(id, for: OrderRequester(principal: principal))
                    return .accepted
                } catch OrderError.notFound {
                    return .unknown
                } catch is OrderError {
                    return .ended
                }
            },
            addMetadata: { try await addSidecar($0) })
    }

    /// Takes the metadata of an archive on, for the order that the upload named and for those of its studies. Answers why they
    /// cannot be used.
    func addSidecar(_ sidecar: UploadOrders.Sidecar) async throws -> String? {
        guard let members = try? OrderedJSON(parsing: sidecar.json).members else {
            return "The file of metadata is no JSON object."
        }
        let named = sidecar.orderID.flatMap(OrderID.init).map { OrderReference.id($0) }
        let references = named.map { [$0] } ?? sidecar.studies.compactMap { UID($0) }.map { .study($0) }
        guard !references.isEmpty else { return "The archive holds no instance that the metadata could belong to." }
        let requester = OrderRequester(principal: sidecar.principal)
        var refusal: String?
        for reference in references {
            do {
                _ = try await addMetadata(members, from: .sidecar, to: reference, by: requester)
            } catch OrderError.invalidMetadata(let faults) {
                return "Metadata cannot be used: " + faults.map(\.pointer).joined(separator: ", ") + "."
            } catch OrderError.notAllowed(let state, _, _) {
                refusal = "The order is \(state.rawValue) and takes no metadata."
            } catch OrderError.notFound {
                refusal = "There is no order that the metadata could belong to."
            }
        }
        return refusal
    }
}
