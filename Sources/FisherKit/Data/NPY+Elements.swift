extension SizedFile {
  /// What is behind an NPY file's header, in C order.
  func elements(_ header: NPYHeader) throws(DataError) -> NPYArray.Elements {
    switch header.type {
    case .float32: .float32(try floats(header, UInt32.self))
    case .float64: .float64(try floats(header, UInt64.self))
    case .float16: .float32(try numbers(header, UInt16.self) { float(half: $0) })
    case .int8: .float32(try numbers(header, Int8.self) { Float($0) })
    case .uint8: .float32(try numbers(header, UInt8.self) { Float($0) })
    case .int16: .float32(try numbers(header, Int16.self) { Float($0) })
    case .uint16: .float32(try numbers(header, UInt16.self) { Float($0) })
    case .int32: .float64(try numbers(header, Int32.self) { Double($0) })
    case .uint32: .float64(try numbers(header, UInt32.self) { Double($0) })
    case .int64: .float64(try numbers(header, Int64.self) { Double(exactly: $0) })
    case .uint64: .float64(try numbers(header, UInt64.self) { Double(exactly: $0) })
    }
  }

  /// Elements that are in the file as they are in memory, but for the order of their bytes.
  private func floats<Element: KernelScalar, Bits: FixedWidthInteger>(
    _ header: NPYHeader, _: Bits.Type
  ) throws(DataError) -> [Element] {
    let count = try checkedCount(header, stride: MemoryLayout<Element>.stride)
    let isSwapped = header.isBigEndian == isLittleEndianMachine
    guard let elements: [Element] = try rawElements(count, Bits.self, isSwapped: isSwapped) else {
      throw shortened(header)
    }
    return header.isFortranOrder ? cOrder(fromFortran: elements, shape: header.shape) : elements
  }

  /// The next elements as they are; `nil` where the file ends before.
  /// - Parameter isSwapped: whether the file has their bytes in the other order than the machine.
  func rawElements<Element: KernelScalar, Bits: FixedWidthInteger>(
    _ count: Int, _: Bits.Type, isSwapped: Bool
  ) throws(DataError) -> [Element]? {
    var result = Result<Int, DataError>.success(0)
    let elements = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      result = Result { () throws(DataError) in try read(into: raw) }
      guard case .success(raw.count) = result else { return }
      if isSwapped {
        buffer.withMemoryRebound(to: Bits.self) { bits in
          for i in bits.indices { bits[i] = bits[i].byteSwapped }
        }
      }
      initialized = count
    }
    return try result.get() == count * MemoryLayout<Element>.size ? elements : nil
  }

  /// Elements that are converted, piece by piece.
  /// - Parameter convert: gives `nil` for a number that `Element` cannot hold.
  private func numbers<Element: KernelScalar, Number: FixedWidthInteger>(
    _ header: NPYHeader, _: Number.Type, _ convert: (Number) -> Element?
  ) throws(DataError) -> [Element] {
    let count = try checkedCount(header, stride: MemoryLayout<Element>.stride)
    let width = MemoryLayout<Number>.size
    var elements: [Element] = []
    elements.reserveCapacity(count)
    while elements.count < count {
      let piece = try read(min(1 << 16, count - elements.count) * width)
      guard !piece.isEmpty, piece.count % width == 0 else { throw shortened(header) }
      for start in stride(from: 0, to: piece.count, by: width) {
        let bits = piece.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Number.self) }
        let number = header.isBigEndian ? Number(bigEndian: bits) : Number(littleEndian: bits)
        guard let element = convert(number) else {
          throw DataError(
            path, expected: "integers that a float64 holds",
            found: "\(number), element \(elements.count) in the file")
        }
        elements.append(element)
      }
    }
    return header.isFortranOrder ? cOrder(fromFortran: elements, shape: header.shape) : elements
  }

  /// How many elements there are, after their header's claim was compared with the file and with the memory.
  /// - Parameter stride: the bytes that each takes in memory.
  private func checkedCount(_ header: NPYHeader, stride: Int) throws(DataError) -> Int {
    let count = elementCount(header.shape)
    let size = count.map { $0.multipliedReportingOverflow(by: max(header.type.width, stride)) }
    guard let count, let size, !size.overflow else {
      throw DataError(path, expected: "sizes that can be addressed", found: header.claim)
    }
    let bytes = count * header.type.width
    let there = self.size - header.length
    guard there == bytes else {
      let found = there < bytes ? "only \(there)" : "\(there)"
      throw DataError(path, expected: "\(bytes) bytes of elements (\(header.claim))", found: found)
    }
    // (Linux grants more than there is, and kills the process that uses it)
    let (needed, copies) = (count * stride, header.isFortranOrder ? 2 : 1)
    guard needed < 1 << 26 || availableMemory().map({ needed <= $0 / copies }) ?? true else {
      throw DataError(path, expected: "no more than fits the memory", found: "\(bytes) bytes of elements")
    }
    return count
  }

  private func shortened(_ header: NPYHeader) -> DataError {
    DataError(path, expected: "elements of \(header.claim)", found: "a file that was cut short meanwhile")
  }
}

extension NPYHeader {
  fileprivate var claim: String { "shape \(NPYArray.tuple(shape)) of \(type)" }
}

/// A number of 16 bits as IEEE 754 has them: sign, 5 bits of exponent, 10 of fraction.
func float(half bits: UInt16) -> Float {
  let fraction = Float(bits & 0x3ff)
  let magnitude: Float =
    switch Int(bits >> 10 & 0x1f) {
    case 0: fraction * 0x1p-24
    case 31: fraction == 0 ? .infinity : .nan
    case let exponent: Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  return bits >> 15 == 1 ? -magnitude : magnitude
}
