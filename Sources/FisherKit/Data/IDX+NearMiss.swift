extension IDX {
  /// What made a file of another size than its header says, for the message; empty where that cannot be told.
  /// - Parameters:
  ///   - path: of a plain file, which is read again for it.
  ///   - elements: how many bytes there are behind the header, where that is known.
  static func nearMiss(path: String?, sizes: [Int], elements: Int?) -> String {
    let swapped = sizes.map { Int(UInt32(truncatingIfNeeded: $0).byteSwapped) }
    if let elements, elements > 0, product(swapped) == elements {
      return " (the sizes are little-endian; IDX has them big-endian)"
    }
    if let path, hasLineEndsOfText(path: path) {
      return " (a carriage return before every line feed: it went through a transfer or a checkout as text)"
    }
    return ""
  }

  /// Whether a file of bytes has line feeds, and none without a carriage return before it.
  private static func hasLineEndsOfText(path: String) -> Bool {
    guard let file = try? SizedFile(path: path) else { return false }
    var count = 0
    var previous: UInt8 = 0
    while let bytes = try? file.read(1 << 16), !bytes.isEmpty {
      for byte in bytes {
        if byte == 0x0a {
          if previous != 0x0d { return false }
          count += 1
        }
        previous = byte
      }
    }
    return count > 2
  }
}
