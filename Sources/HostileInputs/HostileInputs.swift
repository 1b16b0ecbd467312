/// What must hold for every input, however hostile (PS3.10 7, PS3.18 8; the limits of `ReadLimits` and `ModelLimits`).
///
/// Each function takes bytes from anywhere, hands them to our parsers in several ways, and ends the process where an
/// invariant is broken: that is what a fuzzer sees. Tests replay the inputs of `Fuzz/` through the same functions.
public enum HostileInputs {
    /// Ends the process with the invariant in words, also in an optimised build.
    static func hold(_ isSo: Bool, _ invariant: @autoclosure () -> String) {
        if !isSo { fatalError("broken invariant: \(invariant())") }
    }

    /// Ways to cut so many bytes into pieces: the length of the first piece, and that of all others.
    static func cuts(_ count: Int) -> [(first: Int, others: Int)] {
        var cuts = [(7, 7), (61, 61), (133, 1000), (max(count / 2, 1), .max), (max(count - 1, 1), .max)]
        if count <= 8192 { cuts.append((1, 1)) }
        if count <= 1024 { cuts += [(2, 2), (3, 3), (16, 16), (1, .max)] }
        return cuts
    }

    /// Gives the pieces in turn. Each is a copy of its own, so that reading past it is seen.
    static func pieces<Failure: Error>(
        of bytes: [UInt8], _ cut: (first: Int, others: Int),
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        while start < bytes.count {
            let count = min(start == 0 ? cut.first : cut.others, bytes.count - start)
            let piece = Array(bytes[start..<start + count])
            let result: Result<Void, Failure> = piece.withUnsafeBytes { buffer in
                do throws(Failure) {
                    return .success(try body(buffer))
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
            start += count
        }
    }
}
