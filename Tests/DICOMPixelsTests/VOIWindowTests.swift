import DICOMPixels
import Testing

@Suite struct VOIWindowTests {
    /// PS3.3 C.11.2.1.2.1 gives the cases of center 2048 and width 4096, and of width 1.
    @Test(
        arguments: [
            (2048, 4096, 0, 0), (2048, 4096, 4095, 255), (2048, 4096, 2047.5, 127.5), (2048, 4096, -1, 0),
            (2048, 4096, 4096, 255), (2048, 1, 2047, 0), (2048, 1, 2048, 255), (2048, 1, 2047.5, 0),
            (0, 100, -50, 0), (0, 100, 49, 255), (0, 100, -0.5, 127.5), (40, 400, -160, 0), (40, 400, 239, 255),
            (40, 400, 39.5, 127.5), (40, 400, 238, 254.3609022556391),
        ] as [(Double, Double, Double, Double)])
    func `linear follows the formula of the standard`(center: Double, width: Double, value: Double, gray: Double) throws
    {
        let window = try #require(VOIWindow(center: center, width: width, function: .linear))
        #expect(abs(window.output(value) - gray) < 1e-9)
    }

    @Test(
        arguments: [
            (2048, 4096, 0, 0), (2048, 4096, 4096, 255), (2048, 4096, 2048, 127.5), (0.5, 0.25, 0.375, 0),
            (0.5, 0.25, 0.625, 255), (0.5, 0.25, 0.5625, 191.25), (40, 400, -160, 0), (40, 400, 240, 255),
            (40, 400, -60, 63.75),
        ] as [(Double, Double, Double, Double)])
    func `linear exact follows the formula of the standard`(
        center: Double, width: Double, value: Double, gray: Double
    ) throws {
        let window = try #require(VOIWindow(center: center, width: width, function: .linearExact))
        #expect(abs(window.output(value) - gray) < 1e-9)
    }

    /// 1 / (1 + e^2) is 0.11920292202211755.
    @Test(
        arguments: [(100, 127.5), (50, 30.396745115640), (150, 224.603254884360), (1e9, 255), (-1e9, 0)]
            as [(Double, Double)])
    func `sigmoid follows the formula of the standard`(value: Double, gray: Double) throws {
        let window = try #require(VOIWindow(center: 100, width: 100, function: .sigmoid))
        #expect(abs(window.output(value) - gray) < 1e-9)
    }

    @Test(
        arguments: [
            (.nan, 1, .linear), (0, .nan, .linear), (.infinity, 1, .linear), (0, .infinity, .linearExact),
            (0, 0.99, .linear), (0, 0, .linearExact), (0, -1, .sigmoid),
        ] as [(Double, Double, VOIWindow.Function)])
    func `a window without sense is none`(center: Double, width: Double, function: VOIWindow.Function) {
        #expect(VOIWindow(center: center, width: width, function: function) == nil)
    }
}
