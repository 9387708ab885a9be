import Foundation

extension Safetensors {
  /// Writes a file of these tensors, in their order, with a header that is padded so that the elements begin at a multiple
  /// of 8 bytes.
  ///
  /// The file is there whole or not at all; an older one of that name stays until then.
  /// - Throws: ``OutputError`` when the file cannot be written; ``DataError`` for elements that are not finite, with the
  ///   index of the first, and for two tensors of one name.
  public func write(to path: String) throws {
    try WholeFile.write(to: path) { try write(to: $0, place: path) }
  }

  /// Writes into a file that is open. `place` names it in an error.
  func write(to file: WholeFile, place: String) throws {
    var names: Set<String> = []
    for tensor in tensors {
      guard names.insert(tensor.name).inserted else {
        throw DataError(place, expected: "a name of its own for each tensor", found: "two called \(tensor.name)")
      }
      try tensor.requireFinite(place: place)
    }
    let header = self.header
    guard header.count - 8 <= SafetensorsHeader.maximumLength else {
      throw DataError(
        place, expected: "a header of at most \(SafetensorsHeader.maximumLength) bytes", found: "\(header.count - 8)")
    }
    try file.write(Data(header))
    for tensor in tensors { try file.write(littleEndian: tensor.elements) }
  }

  /// The file up to its first element. It is the same for the same tensors and texts.
  private var header: [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { "\(jsonText($0.key)):\(jsonText($0.value))" }
      members.append("\"\(SafetensorsHeader.metadataKey)\":{\(texts.joined(separator: ","))}")
    }
    var start = 0
    for tensor in tensors {
      let width =
        switch tensor.elements {
        case .float32: 4
        case .float64: 8
        }
      let end = start + width * tensor.elements.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(jsonText(tensor.name)):{\"dtype\":\"F\(8 * width)\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}"
      )
      start = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }
}

/// A string of JSON.
private func jsonText(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.value < 0x20:
      result += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

extension WholeFile {
  /// The bytes of numbers as both NPY and safetensors files have them.
  func write(littleEndian elements: NPYArray.Elements) throws(OutputError) {
    switch elements {
    case .float32(let elements): try write(elements, bits: UInt32.self)
    case .float64(let elements): try write(elements, bits: UInt64.self)
    }
  }

  func write<Element: BitwiseCopyable, Bits: FixedWidthInteger>(
    _ elements: [Element], bits: Bits.Type
  ) throws(OutputError) {
    try elements.withUnsafeBufferPointer { (elements) throws(OutputError) in
      let bytes = UnsafeRawBufferPointer(elements)
      if !isLittleEndianMachine {
        let swapped = bytes.bindMemory(to: Bits.self).map(\.byteSwapped)
        return try write(swapped.withUnsafeBytes { Data($0) })
      }
      guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
      try write(Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none))
    }
  }
}
