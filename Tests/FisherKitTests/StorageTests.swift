import FisherKit
import FisherKitTestSupport
import Testing

@Suite struct StorageTests {
  @Test(arguments: [0, 1, 15, 16, 17, 1023, 1024, 2048])
  func alignmentAndPadding(columns: Int) throws {
    func check<S: KernelScalar>(_: S.Type) throws {
      let line = 64 / MemoryLayout<S>.stride
      let matrix = try Matrix<S>(rows: 3, columns: columns)
      #expect(matrix.stride >= columns && matrix.stride % line == 0)
      #expect(columns == 0 || matrix.stride * MemoryLayout<S>.stride % 4096 != 0)
      #expect(try Matrix<S>.bytes(rows: 3, columns: columns) == matrix.bytes)
      matrix.withUnsafePointer { base in
        #expect(Int(bitPattern: base) % 64 == 0)
        #expect((0..<(3 * matrix.stride)).allSatisfy { base[$0] == 0 })
      }
    }
    try check(Float.self)
    try check(Double.self)
  }

  @Test func elementsAndSpans() throws {
    var matrix = try Matrix<Double>(rows: 4, columns: 3)
    matrix.assign([[1, 2, 3], [4, 5, 6]])
    let (rows, capacity, corner) = (matrix.rows, matrix.capacity, matrix[1, 2])
    #expect(rows == 2 && capacity == 4 && corner == 6)
    let (width, first) = (matrix.row(1).count, matrix.row(1)[0])
    #expect(width == 3 && first == 4)
    write(9, to: matrix.mutableRow(0), at: 2)
    let written = matrix.elements
    #expect(written == [[1, 2, 9], [4, 5, 6]])
    matrix.resize(rows: 4)
    let last = matrix[3, 0]
    #expect(last == 0)
    var copy = try Matrix<Double>(rows: 9, columns: 3)
    copy.copy(from: matrix)
    let (copied, original) = (copy.elements, matrix.elements)
    #expect(copied == original)
  }

  private func write(_ number: Double, to row: consuming MutableSpan<Double>, at column: Int) {
    row[column] = number
  }

  @Test func finiteness() throws {
    for (i, j) in [(0, 0), (2, 6), (1, 3)] {
      for bad in [Float.nan, .infinity, -.infinity] {
        var matrix = try Matrix<Float>(rows: 3, columns: 7)
        let before = matrix.isFinite
        matrix[i, j] = bad
        let after = matrix.isFinite
        #expect(before && !after, "\(bad) at (\(i), \(j))")
      }
    }
  }

  /// Sizes that overflow, and memory that is not there, are errors before anything is touched.
  @Test func sizesBeforeAllocation() {
    #expect(throws: FisherError.sizeOverflow(what: "weights")) {
      _ = try Matrix<Float>(rows: Int.max / 2, columns: 17, what: "weights")
    }
    #expect(throws: FisherError.sizeOverflow(what: "weights")) {
      _ = try Matrix<Float>(rows: 1, columns: Int.max, what: "weights")
    }
    #expect(throws: FisherError.sizeOverflow(what: "blocks")) { _ = try BlockBatch<Double>(count: 80, order: 1 << 40) }
    #expect(throws: FisherError.sizeOverflow(what: "blocks")) {
      _ = try BlockBatch<Double>.bytes(count: 1 << 40, order: 1 << 20)
    }
    #expect(throws: FisherError.outOfMemory(what: "weights", bytes: 1 << 46)) {
      _ = try Matrix<Float>(rows: 1 << 40, columns: 16, what: "weights")
    }
  }

  /// Element (i, j) of block b is where the layout says.
  @Test(arguments: [1, 7, 8, 9, 33])
  func batchMinorLayout(count: Int) throws {
    let order = 5
    var blocks = try BlockBatch<Double>(count: count, order: order)
    let layout = BatchMinor(d: order, count: count, precision: .double)
    #expect(blocks.bytes == 8 * layout.elementCount)
    #expect(try BlockBatch<Double>.bytes(count: count, order: order) == blocks.bytes)
    for b in 0..<count {
      for i in 0..<order {
        for j in 0...i { blocks[b, i, j] = Double(layout.index(block: b, i, j)) }
      }
    }
    for b in 0..<count {
      for i in 0..<order {
        for j in 0..<order { #expect(blocks[b, i, j] == Double(layout.index(block: b, max(i, j), min(i, j)))) }
      }
    }
  }
}
