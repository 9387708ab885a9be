/// The types of elements that are read, called as in NPY files that do without their byte order. Those that a float32
/// holds exactly become float32, the others float64, as NumPy makes of each beside a float32.
enum NPYType: String, CaseIterable {
  case float16 = "f2"
  case float32 = "f4"
  case float64 = "f8"
  case int8 = "i1"
  case int16 = "i2"
  case int32 = "i4"
  case int64 = "i8"
  case uint8 = "u1"
  case uint16 = "u2"
  case uint32 = "u4"
  case uint64 = "u8"

  var isInteger: Bool { !rawValue.hasPrefix("f") }

  /// Bytes of an element.
  var width: Int { Int(String(rawValue.last!))! }

  /// By a name that NumPy takes: a letter or a letter and a size, with or without a byte order, or a word without one.
  /// A name without an order, or with `=` or `|`, is of the machine's own.
  static func named(_ name: String) -> (type: NPYType, isBigEndian: Bool)? {
    if let type = words[name] { return (type, !isLittleEndianMachine) }
    let order = name.first.flatMap { "<>=|".contains($0) ? $0 : nil }
    let rest = String(order == nil ? name[...] : name.dropFirst())
    guard let type = NPYType(rawValue: rest) ?? letters[rest] else { return nil }
    return (type, order == ">" || order != "<" && !isLittleEndianMachine)
  }

  /// (what has another size elsewhere, such as a long, is refused by the size of its file)
  private static let letters: [String: NPYType] = [
    "e": .float16, "f": .float32, "d": .float64, "b": .int8, "h": .int16, "i": .int32, "l": .int64, "q": .int64,
    "p": .int64, "B": .uint8, "H": .uint16, "I": .uint32, "L": .uint64, "Q": .uint64, "P": .uint64,
  ]

  private static let words: [String: NPYType] = {
    var words: [String: NPYType] = [
      "half": .float16, "single": .float32, "double": .float64, "float": .float64, "byte": .int8, "short": .int16,
      "intc": .int32, "int": .int64, "int_": .int64, "intp": .int64, "long": .int64, "longlong": .int64,
      "ubyte": .uint8, "ushort": .uint16, "uintc": .uint32, "uint": .uint64, "uintp": .uint64, "ulong": .uint64,
      "ulonglong": .uint64,
    ]
    for type in allCases { words["\(type)"] = type }
    return words
  }()

  /// What other names are of, by their letter.
  static let others: [Character: String] = [
    "b": "booleans", "?": "booleans", "f": "floats of another size", "g": "floats of another size",
    "i": "integers of another size", "u": "integers of another size", "c": "complex numbers", "O": "Python objects",
    "S": "bytes", "U": "text", "M": "dates", "m": "time differences", "V": "raw bytes",
  ]
}
