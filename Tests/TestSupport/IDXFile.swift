/// Files in MNIST's format, made to order and made wrong.
public enum IDXFile {
  /// Magic 0, 0, 8 and the number of dimensions; the dimensions, big-endian; the elements.
  public static func bytes(dimensions: [Int], elements: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(dimensions.count)]
      + dimensions.flatMap { size in (0..<4).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } } + elements
  }

  /// A gzip file of stored blocks.
  public static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    func little(_ number: UInt32, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    let chunks = stride(from: 0, to: max(bytes.count, 1), by: 65535).map {
      Array(bytes[$0..<min($0 + 65535, bytes.count)])
    }
    for (index, chunk) in chunks.enumerated() {
      let count = UInt32(chunk.count)
      file += [index == chunks.count - 1 ? 1 : 0] + little(count, 2) + little(~count, 2) + chunk
    }
    return file + little(crc32(bytes), 4) + little(UInt32(bytes.count), 4)
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
  }
}
