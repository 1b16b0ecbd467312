import Observability
import Testing

struct ObservabilityHealthTests {
    @Test func `degraded is ready, unhealthy is not`() async {
        let fine = await HealthReport(asking: [
            HealthCheck("database") { .healthy }, HealthCheck("disk") { .degraded(reason: "nearly full") },
        ])
        #expect(fine.isReady)
        #expect(
            String(decoding: fine.json(), as: UTF8.self)
                == #"{"status":"ready","checks":[{"name":"database","status":"healthy"},"#
                + #"{"name":"disk","status":"degraded","reason":"nearly full"}]}"#)
        let ill = await HealthReport(asking: [HealthCheck("database") { .unhealthy(reason: "locked") }])
        #expect(!ill.isReady)
    }

    @Test func `a check that does not answer is unhealthy`() async {
        let report = await HealthReport(
            asking: [
                HealthCheck("stuck") {
                    // Ends only when the report has given up and cancels.
                    try? await Task.sleep(for: .seconds(3_600))
                    return .healthy
                }
            ], within: .milliseconds(1))
        #expect(!report.isReady)
    }
}
