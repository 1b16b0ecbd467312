import HostileInputs

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    HostileInputs.codecs(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
