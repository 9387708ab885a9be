extension StateVisitor {
  /// A matrix: the rows in use, and how many they are. Restored is one of as many columns, and of no more rows than there is
  /// room for.
  public func visit<S: KernelScalar>(_ name: String, _ matrix: inout Matrix<S>) throws {
    if isCounting {
      bytes += matrix.bytes
      return judge(name) { matrix.isFinite }
    }
    let (columns, capacity) = (matrix.columns, matrix.capacity)
    try save(name, .matrix, element(S.self), shape: [matrix.rows, columns], matrix.stateMemory)
    let saved = try find(
      name, .matrix, element(S.self), expected: ["\(capacity) rows at most", "\(columns)"],
      fits: { $0.count == 2 && $0[0] <= capacity && $0[1] == columns })
    guard isRestoring, let saved else { return }
    matrix.resize(rows: saved.entry.shape[0])
    try saved.read(into: matrix.stateMemory)
  }

  /// Blocks, or their factors.
  public func visit<S: KernelScalar>(_ name: String, _ blocks: inout BlockBatch<S>) throws {
    if isCounting {
      bytes += blocks.bytes
      return judge(name) { blocks.isFinite }
    }
    let shape = [blocks.count, blocks.order]
    try array(name, .blocks, element(S.self), shape: shape, StateMemory(blocks.storage.base, bytes: blocks.bytes))
  }

  /// Elements that a kernel has laid out in its own way.
  func visit<S: KernelScalar>(_ name: String, _ buffer: borrowing AlignedBuffer<S>) throws {
    let size = buffer.count * MemoryLayout<S>.stride
    if isCounting { return bytes += size }
    try array(name, .buffer, element(S.self), shape: [buffer.count], StateMemory(buffer.base, bytes: size))
  }

  /// Matrices of a list, by their places in it.
  func visit<S: KernelScalar>(_ name: String, _ matrices: [KeptMatrix<S>]) throws {
    try enter(name) {
      for (index, matrix) in matrices.enumerated() { try visit("\(index)", &matrix.value) }
    }
  }

  /// A list of numbers.
  /// - Parameter isOfAnyCount: whether its count is state too, and not what the object was made with.
  public func visit<Number: StateNumber>(
    _ name: String, _ list: inout [Number], isOfAnyCount: Bool = false
  ) throws {
    try visit(name, &list, isOfAnyCount: isOfAnyCount, isGood: { _ in true }, "")
  }

  /// A list of integers in a range, such as the indices of something: others are refused.
  public func visit(
    _ name: String, _ list: inout [Int], isOfAnyCount: Bool = false, in range: ClosedRange<Int>
  ) throws {
    try visit(name, &list, isOfAnyCount: isOfAnyCount, isGood: range.contains, words(range))
  }

  private func visit<Number: StateNumber>(
    _ name: String, _ list: inout [Number], isOfAnyCount: Bool, isGood: (Number) -> Bool, _ range: String
  ) throws {
    let stride = MemoryLayout<Number>.stride
    if isCounting {
      bytes += list.count * stride
      return judge(name) {
        (list as? [Double])?.allSatisfy(\.isFinite) ?? (list as? [Float])?.allSatisfy(\.isFinite) ?? true
      }
    }
    let (count, element) = (list.count, Number._stateElement)
    try list.withUnsafeMutableBytes { try save(name, .list, element, shape: [count], StateMemory($0)) }
    let saved = try find(
      name, .list, element, expected: [isOfAnyCount ? "of any count" : "\(count)"],
      fits: { $0.count == 1 && (isOfAnyCount || $0[0] == count) })
    guard let saved else { return }
    let numbers = try saved.numbers(Number.self, count: saved.entry.shape[0])
    if let bad = numbers.first(where: { !isGood($0) }) {
      throw StateError(saved.place, expected: range, found: "\(bad)")
    }
    if isRestoring { list = numbers }
  }

  private func array(
    _ name: String, _ kind: StateEntry.Kind, _ element: StateEntry.Element, shape: [Int], _ memory: StateMemory
  ) throws {
    try save(name, kind, element, shape: shape, memory)
    let saved = try find(name, kind, element, expected: shape.map(String.init), fits: { $0 == shape })
    try saved?.require(bytes: memory.bytes)
    if isRestoring { try saved?.read(into: memory) }
  }

  private func element<S: KernelScalar>(_: S.Type) -> StateEntry.Element { S.self == Float.self ? .float32 : .float64 }

  private func judge(_ name: String, _ isFinite: () -> Bool) {
    if case .judging = purpose, firstNonFinite == nil, !isFinite() { firstNonFinite = place(name) }
  }

  func words(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "an integer from \(range.lowerBound) up" : "an integer from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension Matrix {
  fileprivate var stateMemory: StateMemory {
    StateMemory(
      storage.base, rows: rows, rowBytes: columns * MemoryLayout<Scalar>.stride,
      stride: stride * MemoryLayout<Scalar>.stride)
  }
}

extension BlockBatch {
  fileprivate var isFinite: Bool {
    for block in 0..<count {
      for i in 0..<order { for j in 0...i where !self[block, i, j].isFinite { return false } }
    }
    return true
  }
}
