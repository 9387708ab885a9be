import Foundation

/// What libFuzzer calls with each input; the environment's FUZZ_READER names the reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  // (an error is an answer)
  try? reader(bytes)
  return 0
}

private let reader: @Sendable ([UInt8]) throws -> Void = {
  let name = ProcessInfo.processInfo.environment["FUZZ_READER"] ?? ""
  guard let reader = readers[name] else {
    fatalError("FUZZ_READER: expected one of \(readers.keys.sorted().joined(separator: ", ")), found \"\(name)\"")
  }
  return reader
}()
