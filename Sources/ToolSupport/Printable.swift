extension Unicode.Scalar {
  /// Whether a terminal or a page obeys it, where others are shown: controls (C0, DEL, C1), ends of lines and paragraphs,
  /// and what turns the direction of the text behind it.
  package var isObeyed: Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0: true
    case 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }
}

extension String {
  /// The text as it can be printed, whatever file or command line it is from: U+FFFD stands for each scalar that would be
  /// obeyed. `kept` are left as they are.
  package func printable(keeping kept: Set<Unicode.Scalar> = []) -> String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars { result.append(scalar.isObeyed && !kept.contains(scalar) ? "\u{FFFD}" : scalar) }
    return String(result)
  }

  /// JSON as an encoder writes it, with escapes for what would be obeyed; it stands nowhere but inside strings, ends of
  /// lines aside.
  package var printableJSON: String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.isObeyed, scalar != "\n" {
        let digits = String(scalar.value, radix: 16)
        result.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
