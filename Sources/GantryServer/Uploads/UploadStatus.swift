import BlobStorage
import Hummingbird
import Ingestion
import Messaging
import NIOCore

/// What is told of an upload: `GET /uploads/{key}`, and each event of the stream.
struct UploadStatus {
    let session: UploadSession

    var json: ByteBuffer { members.object }

    private var members: JSONMembers {
        var members = JSONMembers()
        members.add("key", session.key.description)
        members.add("state", session.state.rawValue)
        members.add("filename", session.announcement.filename)
        members.add("order_id", session.announcement.orderID)
        members.add("upload_id", session.parts?.id)
        members.add("bytes", session.bytes)
        members.add("instances", session.result.instances)
        members.add("failures", session.result.failures.map(Self.failure))
        if session.result.failureCount > session.result.failures.count {
            members.add("failure_count", session.result.failureCount)
        }
        members.add("study_uids", session.result.studies)
        var times = JSONMembers()
        times.add("issued", CloudEvent.timestamp(session.issuedAt))
        times.add("expires", CloudEvent.timestamp(session.expiresAt))
        times.add("received", session.receivedAt.map(CloudEvent.timestamp))
        times.add("ended", session.endedAt.map(CloudEvent.timestamp))
        members.add("times", times)
        return members
    }

    private static func failure(_ failure: UploadFailure) -> JSONMembers {
        var members = JSONMembers()
        members.add("file", failure.file)
        members.add("sop_instance_uid", failure.instance)
        members.add("code", failure.code)
        members.add("reason", failure.reason)
        return members
    }
}

extension Response {
    /// A JSON answer about uploads: nobody keeps it.
    static func uploadAnswer(_ json: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "application/json", .cacheControl: "no-store", .referrerPolicy: "no-referrer",
            ],
            body: ResponseBody(byteBuffer: json))
    }
}
