import FisherKit
import FisherKitTestSupport
import Testing

/// The elementwise operations as a user calls them, against what they say, over shapes around the cache line. None touches
/// the padding.
@Suite struct MatrixVerbTests {
  private static let shapes = [(0, 3), (3, 0), (1, 1), (1, 17), (7, 33), (5, 16), (4, 64)]

  @Test(arguments: shapes) func elementwise(n: Int, m: Int) throws {
    try elementwise(Float.self, n, m)
    try elementwise(Double.self, n, m)
  }

  private func elementwise<S: TestScalar>(_: S.Type, _ n: Int, _ m: Int) throws {
    var random = SplitMix64(seed: 111)
    let (a, b) = (random.normal(n * m, as: S.self), random.normal(n * m, as: S.self))
    let scales = random.normal(n)
    let other = try Matrix<S>.make(b, rows: n, columns: m)
    func check(_ what: String, _ expected: [Double], _ body: (inout Matrix<S>) -> Void) throws {
      var matrix = try Matrix<S>.make(a, rows: n, columns: m)
      body(&matrix)
      let comparison = Comparison.normwise(
        matrix.numbers, expected, scale: 4, tolerance: Tolerance.update.relative(S.precision))
      #expect(comparison.isAllowed, "\(S.self) \(n)×\(m), \(what): \(comparison)")
      let isClean = paddingIsZero(matrix)
      #expect(isClean, "\(S.self) \(n)×\(m), \(what)")
    }
    try check("add", zip(a, b).map { $0 + $1 }) { $0.add(other) }
    try check("add times", zip(a, b).map { $0 - 0.5 * $1 }) { $0.add(other, times: -0.5) }
    try check("scale", a.map { 3 * $0 }) { $0.scale(by: 3) }
    try check("multiplyElements", zip(a, b).map { $0 * $1 }) { $0.multiplyElements(other) }
    try check("scaleRows", a.indices.map { a[$0] * scales[$0 / m] }) { $0.scaleRows(by: scales) }
    try check("fill", a.map { _ in 2.5 }) { $0.fill(with: 2.5) }
    try check("setToZero", a.map { _ in 0 }) { $0.setToZero() }
    try check("copy", b) { $0.copy(from: other) }
    if m > 0 {
      try check("fill column", a.indices.map { $0 % m == m - 1 ? 2 : a[$0] }) { $0.fill(column: m - 1, with: 2) }
    }
    try check("softmax", Reference.softmax(z: b, n: n, m: m).eta) { $0.setToSoftmax(of: other) }
  }

  @Test(arguments: shapes) func sums(n: Int, m: Int) throws {
    try sums(Float.self, n, m)
    try sums(Double.self, n, m)
  }

  private func sums<S: TestScalar>(_: S.Type, _ n: Int, _ m: Int) throws {
    var random = SplitMix64(seed: 112)
    let (a, b) = (random.normal(n * m, as: S.self), random.normal(n * m, as: S.self))
    let matrix = try Matrix<S>.make(a, rows: n, columns: m)
    let other = try Matrix<S>.make(b, rows: n, columns: m)
    let products = Reference.rowDots(a: a, b: b, m: n, d: m)
    let whole = products.reduce(0, +)
    let tolerance = Tolerance.update.relative(S.precision, terms: m)
    func check(_ what: String, _ found: [Double], _ expected: [Double]) {
      let comparison = Comparison.normwise(found, expected, scale: Double(max(n, m)), tolerance: tolerance)
      #expect(comparison.isAllowed, "\(S.self) \(n)×\(m), \(what): \(comparison)")
    }
    check("dot", [matrix.dot(other)], [whole])
    var dots = [Double](repeating: .nan, count: n)
    matrix.rowDots(other, into: &dots)
    check("rowDots", dots, products)
    matrix.rowDots(other, into: &dots, summed: true)
    check("rowDots, summed", dots, products.map { _ in whole })
    var columns = (0..<m).map(Double.init)
    matrix.addColumns(to: &columns)
    check("addColumns", columns, (0..<m).map { j in (0..<n).reduce(Double(j)) { $0 + a[$1 * m + j] } })
  }

  @Test func rowsAndPartsOfOtherMatrices() throws {
    let other = try Matrix<Float>(rows: [[1, 2, 3], [4, 5, 6]])
    var matrix = try Matrix<Float>(rows: 4, columns: 3)
    matrix.resize(rows: 1)
    matrix.append(other)
    #expect(matrix.elements == [[0, 0, 0], [1, 2, 3], [4, 5, 6]])
    matrix.append(other, first: 1)
    matrix.copyRow(1, from: other)
    #expect(matrix.elements == [[0, 0, 0], [4, 5, 6], [4, 5, 6], [1, 2, 3]])
    var head = try Matrix<Float>(rows: 2, columns: 2)
    head.copyHead(of: other)
    #expect(head.elements == [[1, 2], [4, 5]])
    matrix.place(head, row: 2, column: 1)
    #expect(matrix.elements == [[0, 0, 0], [4, 5, 6], [4, 1, 2], [1, 4, 5]])
    var wide = try Matrix<Double>(rows: [[0.1, 1e300]])
    var narrow = try Matrix<Float>(rows: 1, columns: 2)
    narrow.copy(converting: wide)
    #expect(narrow.elements == [[0.1, .infinity]])
    wide.copy(converting: narrow)
    #expect(wide.elements == [[Double(Float(0.1)), .infinity]])
  }

  /// The same numbers for a seed, whatever the precision and the padding, and distributed as they say.
  @Test func randomNumbers() throws {
    var (one, two, three) = (SeededGenerator(seed: 3), SeededGenerator(seed: 3), SeededGenerator(seed: 3))
    var single = try Matrix<Float>(rows: 50, columns: 33)
    var double = try Matrix<Double>(rows: 33, columns: 50)
    single.fillUniform(in: -2...6, using: &one)
    double.fillUniform(in: -2...6, using: &two)
    #expect(single.numbers == double.numbers.map { Double(Float($0)) })
    #expect(double.numbers == (0..<1650).map { _ in -2 + 8 * three.uniform() })
    let areClean = paddingIsZero(single) && paddingIsZero(double)
    #expect(areClean)
    let mean = single.numbers.reduce(0, +) / 1650
    #expect(abs(mean - 2) < 0.2 && double.numbers.allSatisfy { $0 >= -2 && $0 <= 6 })
    double.fillNormal(deviation: 3, using: &two)
    #expect(double.numbers == (0..<1650).map { _ in 3 * three.normal() })
    let square = double.dot(double) / 1650
    #expect(abs(square.squareRoot() - 3) < 0.2)
  }
}

/// Whether what is behind each row is zero still.
func paddingIsZero<S: KernelScalar>(_ matrix: borrowing Matrix<S>) -> Bool {
  let (rows, columns, stride) = (matrix.rows, matrix.columns, matrix.stride)
  return matrix.withUnsafePointer { base in
    (0..<rows).allSatisfy { i in (columns..<stride).allSatisfy { base[i * stride + $0] == 0 } }
  }
}
