internal import CFisherKitZlib

/// CRC-32, as gzip and PNG files have it, of bytes that come in pieces.
struct Checksum {
  private(set) var value: UInt32 = 0

  init() {}

  init(_ bytes: some Sequence<UInt8>) {
    Array(bytes).withUnsafeBytes { add($0) }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    // (of nothing zlib takes the address to be asked for a first value)
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    value = UInt32(truncatingIfNeeded: crc32_z(UInt(value), base.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
