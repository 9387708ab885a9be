import FisherKitTestSupport
import Testing

@testable import FisherKit

/// What a visit of named state counts, keeps and refuses.
@Suite struct StateTests {
  /// One of each kind.
  private final class Everything: State {
    var matrix: Matrix<Float>
    var doubles: Matrix<Double>
    var blocks: BlockBatch<Double>
    let buffer: AlignedBuffer<Float>
    var row: Matrix<Float>
    var list = [1.0, 2.0]
    var indices = [3]
    var order: [Int32] = [1, 2, 3]
    var number = 0.5
    var count = 7
    var flag = true
    var word: UInt64 = .max
    var maybe: Double?
    var generator = SeededGenerator(seed: 4)
    var part: Part?
    var name = "everything"
    var visits = 0

    init(columns: Int = 3) throws {
      matrix = try Matrix(rows: 5, columns: columns)
      doubles = try Matrix(rows: 2, columns: 2)
      blocks = try BlockBatch(count: 3, order: 2)
      buffer = try AlignedBuffer(count: 4, what: "buffer")
      row = try Matrix(rows: 1, columns: 20)
    }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.fixed("name", name)
      try visitor.visit("matrix", &matrix)
      try visitor.visit("doubles", &doubles)
      try visitor.visit("blocks", &blocks)
      try visitor.visit("buffer", buffer)
      try visitor.visit("list", &list)
      try visitor.visit("indices", &indices, isOfAnyCount: true, in: 0...9)
      try visitor.visit("order", &order)
      try visitor.visit("number", &number)
      try visitor.visit("count", &count, in: 0...100)
      try visitor.visit("flag", &flag)
      try visitor.visit("word", &word)
      try visitor.visit("maybe", &maybe)
      try visitor.value("generator", &generator)
      try visitor.optional("part", &part) { Part() }
      visitor.scratch("row", row)
    }
  }

  private final class Part: State {
    var numbers = [0.0]
    var floats: [Float] = [0]

    func visit(_ visitor: StateVisitor) throws {
      try visitor.visit("floats", &floats)
      try visitor.visit("numbers", &numbers)
    }
  }

  /// Something to be lost: odd bits, rows out of use, a part.
  private func full() throws -> Everything {
    let all = try Everything()
    for i in 0..<5 { for j in 0..<3 { all.matrix[i, j] = Float(10 * i + j) } }
    all.matrix[0, 0] = Float(bitPattern: 0x7fc1_2345)
    all.matrix[0, 1] = -0.0
    all.matrix.resize(rows: 2)
    all.doubles[1, 1] = Double(bitPattern: 0xfff8_0000_0000_beef)
    for b in 0..<3 { for i in 0..<2 { for j in 0...i { all.blocks[b, i, j] = Double(100 * b + 10 * i + j) } } }
    for i in 0..<4 { all.buffer.base[i] = Float(i) }
    (all.list, all.indices, all.order) = ([-0.0, .infinity], [9, 0], [5, 6, 7])
    (all.number, all.count, all.flag, all.word) = (.leastNonzeroMagnitude, 100, false, 3)
    all.maybe = .nan
    for _ in 0..<3 { _ = all.generator.next() }
    all.part = Part()
    all.part?.numbers = [8]
    return all
  }

  @Test func bitByBit() throws {
    let all = try full()
    let saved = try SavedState(of: all)
    let other = try Everything()
    try saved.restore(other)
    #expect(try SavedState(of: other) == saved)
    let (rows, bits, zero) = (other.matrix.rows, other.matrix[0, 0].bitPattern, other.matrix[0, 1].bitPattern)
    #expect(rows == 2 && bits == 0x7fc1_2345 && zero == 0x8000_0000)
    let (payload, block, last) = (other.doubles[1, 1].bitPattern, other.blocks[2, 1, 0], other.buffer.base[3])
    #expect(payload == 0xfff8_0000_0000_beef && block == 210 && last == 3)
    #expect(other.list[0].sign == .minus && other.list[1] == .infinity && other.indices == [9, 0])
    #expect(other.order == [5, 6, 7] && other.number == .leastNonzeroMagnitude && other.count == 100)
    #expect(!other.flag && other.word == 3 && other.maybe?.isNaN ?? false && other.part?.numbers == [8])
    #expect(other.generator.next() == all.generator.next())
    // and back to what has less
    try SavedState(of: Everything()).restore(all)
    #expect(all.part == nil && all.maybe == nil && all.indices == [3])
    // the padding of a matrix stays zero, whatever its rows become
    let isClean = other.matrix.withUnsafePointer { base in (3..<16).allSatisfy { base[$0] == 0 && base[16 + $0] == 0 } }
    #expect(isClean)
  }

  @Test func bytesAndFiniteNumbers() throws {
    let all = try Everything()
    let arrays = all.matrix.bytes + all.doubles.bytes + all.blocks.bytes + 16 + all.row.bytes
    #expect(all.stateBytes == arrays + 2 * 8 + 8 + 3 * 4)
    #expect(all.firstNonFinite == nil)
    all.part = Part()
    all.part?.numbers = [.nan]
    #expect(all.firstNonFinite == "part/numbers")
    all.part?.floats = [-.infinity]
    #expect(all.firstNonFinite == "part/floats")
    all.blocks[1, 1, 0] = .infinity
    #expect(all.firstNonFinite == "blocks")
    all.matrix[4, 2] = .nan
    all.matrix.resize(rows: 4)
    #expect(all.firstNonFinite == "blocks", "rows that are not in use say nothing")
  }

  /// Another kind, precision, shape, name or range: refused by its name, and nothing is touched.
  @Test func refusals() throws {
    final class Other: State {
      let show: (StateVisitor) throws -> Void
      init(_ show: @escaping (StateVisitor) throws -> Void) { self.show = show }
      func visit(_ visitor: StateVisitor) throws { try show(visitor) }
    }
    let saved = try SavedState(
      of: Other { visitor in
        var matrix = try Matrix<Double>(rows: 4, columns: 3)
        var (list, count) = ([1, 2, 3], 12)
        try visitor.visit("count", &count)
        try visitor.visit("a matrix", &matrix)
        try visitor.visit("list", &list)
      })
    /// Restores into something like it, but for one thing.
    func refusal(
      rows: Int = 4, columns: Int = 3, list start: [Int] = [0, 0, 0], range: ClosedRange<Int> = 0...20,
      extra: String? = nil, names: [String] = ["a matrix", "list"], isFloat: Bool = false
    ) -> (StateError?, Bool) {
      var (list, count) = (start, 5)
      let object = Other { visitor in
        try visitor.visit("count", &count, in: range)
        if isFloat {
          var matrix = try Matrix<Float>(rows: rows, columns: columns)
          try visitor.visit(names[0], &matrix)
        } else {
          var matrix = try Matrix<Double>(rows: rows, columns: columns)
          try visitor.visit(names[0], &matrix)
        }
        if names.count > 1 { try visitor.visit(names[1], &list) }
        if let extra { try visitor.fixed(extra, "x") }
      }
      let error = failure(of: { try saved.restore(object) }) as? StateError
      return (error, list == start && count == 5)
    }
    #expect(refusal().0 == nil && !refusal().1)
    let cases: [(String, String, (StateError?, Bool))] = [
      ("a matrix", "a matrix of float64, 4 × 3", refusal(columns: 4)),
      ("a matrix", "a matrix of float64, 4 × 3", refusal(rows: 3)),
      ("a matrix", "a matrix of float64, 4 × 3", refusal(isFloat: true)),
      ("list", "a list of int64, 3", refusal(list: [1])),
      ("count", "12", refusal(range: 0...11)),
      ("other", "nothing of that name", refusal(extra: "other")),
      ("list", "a list of int64, 3", refusal(names: ["a matrix"])),
      ("matrix", "nothing of that name", refusal(names: ["matrix", "list"])),
      ("list", "a list of int64, 3", refusal(names: ["list", "a matrix"])),
    ]
    for (place, found, (error, isUntouched)) in cases {
      #expect(error?.place == place && error?.found == found, "\(place): \(error as Any)")
      #expect(isUntouched, "\(place), \(found)")
    }
    #expect(refusal(rows: 9).0 == nil, "room for more rows is no harm")
  }

  @Test func fixedSettings() throws {
    let (all, other) = (try full(), try Everything())
    other.name = "another"
    let error = failure(of: { try SavedState(of: all).restore(other) }) as? StateError
    #expect(error == StateError("name", expected: "another", found: "everything"))
    #expect(other.count == 7)
    all.indices = [10]
    let saved = try SavedState(of: all)
    let outside = failure(of: { try saved.restore(try Everything()) }) as? StateError
    #expect(outside == StateError("indices", expected: "an integer from 0 to 9", found: "10"))
  }

  @Test func twoOfOneName() {
    final class Twice: State {
      var number = 0
      func visit(_ visitor: StateVisitor) throws {
        try visitor.visit("number", &number)
        try visitor.visit("number", &number)
      }
    }
    let error = failure(of: { _ = try SavedState(of: Twice()) }) as? StateError
    #expect(error == StateError("number", expected: "a name of its own", found: "two of that name"))
  }

  /// What does not say what it holds is counted, and never saved without it.
  @Test func whatCannotBeSaved() {
    final class Silent: Optimizer {
      typealias Scalar = Float
      let name = "silent"
      let bytes = 12
      var learningRate = 0.1
      func prepare(for model: any Model<Float>, batches: MiniBatches) {}
      func step(_ model: any Model<Float>) -> [Incident] { [] }
    }
    final class Holder: State {
      let optimizer: any Optimizer<Float> = Silent()
      func visit(_ visitor: StateVisitor) throws { try visitor.child("optimizer", optimizer) }
    }
    #expect(Holder().stateBytes == 12)
    let error = failure(of: { _ = try SavedState(of: Holder()) }) as? StateError
    #expect(error?.place == "optimizer" && error?.found == "Silent, which has none")
  }
}
