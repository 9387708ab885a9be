import FisherKit
import FisherKitTestSupport
import Testing

/// A precision that has both the library's operations and the reference's.
typealias TestScalar = KernelScalar & ReferenceScalar

extension SplitMix64 {
  /// Normal numbers as a precision stores them.
  mutating func normal<S: TestScalar>(_ count: Int, as: S.Type) -> [Double] { S.precision.round(normal(count)) }
}

/// Products and factors of matrices as a user calls them, against the reference: empty ones, one row, and widths around
/// the cache line.
@Suite struct MatrixProductTests {
  private static let shapes = [
    (n: 0, k: 3, m: 2), (3, 0, 2), (2, 3, 0), (1, 1, 1), (1, 17, 5), (7, 33, 16), (40, 15, 31), (3, 64, 8),
  ]

  @Test(arguments: shapes) func products(n: Int, k: Int, m: Int) throws {
    try products(Float.self, n, k, m)
    try products(Double.self, n, k, m)
  }

  private func products<S: TestScalar>(_: S.Type, _ n: Int, _ k: Int, _ m: Int) throws {
    var random = SplitMix64(seed: 101)
    let (a, b, c) = (
      random.normal(n * k, as: S.self), random.normal(k * m, as: S.self), random.normal(n * m, as: S.self)
    )
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      let left = try Matrix<S>.make(a, rows: transposeA ? k : n, columns: transposeA ? n : k)
      let right = try Matrix<S>.make(b, rows: transposeB ? m : k, columns: transposeB ? k : m)
      let place = "\(S.self) \(n)×\(k)×\(m), A \(transposeA), B \(transposeB)"
      for (alpha, beta) in [(1.0, 0.0), (0.5, -2.0)] {
        var product = try Matrix<S>.make(c, rows: n, columns: m)
        if beta == 0 { product.fill(with: .nan) }
        product.setToProduct(
          left, transposeA ? .transposed : .none, right, transposeB ? .transposed : .none, alpha: alpha, beta: beta)
        let expected = Reference.gemm(
          a: a, transposeA: transposeA, b: b, transposeB: transposeB, c: c, m: n, n: m, k: k, alpha: alpha, beta: beta)
        let scale = Reference.gemm(
          a: a.map { abs($0) }, transposeA: transposeA, b: b.map { abs($0) }, transposeB: transposeB, m: n, n: m, k: k)
        let comparison = Comparison.normwise(
          product.numbers, expected, scale: scale.max(), tolerance: Tolerance.product.relative(S.precision, terms: k))
        #expect(comparison.isAllowed, "\(place): \(comparison)")
        guard !transposeA, !transposeB, beta == 0 else { continue }
        var plain = try Matrix<S>(rows: n, columns: m)
        plain.setToProduct(left, right, alpha: alpha)
        #expect(plain.elements == product.elements, "\(place)")
      }
    }
  }

  /// A part leaves the other columns alone: a bias column stays 1.
  @Test func parts() throws {
    func check<S: TestScalar>(_: S.Type) throws {
      var random = SplitMix64(seed: 102)
      let (n, k, m) = (6, 9, 4)
      let (a, b) = (random.normal(n * k, as: S.self), random.normal(m * k, as: S.self))
      var product = try Matrix<S>(rows: n, columns: m + 1)
      product.fill(column: m, with: 1)
      product.resize(rows: 4)
      let left = try Matrix<S>.make(a, rows: n, columns: k)
      let right = try Matrix<S>.make(b, rows: m, columns: k)
      product.setToProduct(left, .none, right, .transposed, inner: k - 1, outputColumns: m)
      var expected: [Double] = []
      for s in 0..<4 {
        for i in 0..<m {
          var sum = 0.0
          for p in 0..<k - 1 { sum += a[s * k + p] * b[i * k + p] }
          expected.append(sum)
        }
        expected.append(1)
      }
      let comparison = Comparison.normwise(
        product.numbers, expected, scale: 10, tolerance: Tolerance.product.relative(S.precision, terms: k))
      #expect(comparison.isAllowed, "\(S.self): \(comparison)")
    }
    try check(Float.self)
    try check(Double.self)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 40]) func gramAndFactor(d: Int) throws {
    try gramAndFactor(Float.self, d)
    try gramAndFactor(Double.self, d)
  }

  private func gramAndFactor<S: TestScalar>(_: S.Type, _ d: Int) throws {
    var random = SplitMix64(seed: 103)
    let n = 2 * d + 1
    let x = random.normal(n * d, as: S.self)
    var gram = try Matrix<S>(rows: d, columns: d)
    gram.fill(with: 7)
    gram.setToGram(try .make(x, rows: n, columns: d), alpha: 1 / Double(n))
    // what is above the diagonal was left alone
    if d > 1 { #expect(gram.elements[0][d - 1] == 7, "\(S.self) \(d)") }
    gram.symmetrize()
    let expected = Reference.gram(x: x, n: n, d: d, alpha: 1 / Double(n))
    let comparison = Comparison.normwise(
      gram.numbers, expected, tolerance: Tolerance.gram.relative(S.precision, terms: n))
    #expect(comparison.isAllowed, "\(S.self) \(d): \(comparison)")
    let trace = (0..<d).reduce(0) { $0 + gram.numbers[$1 * (d + 1)] }
    #expect(abs(gram.trace - trace) <= 1e-12 * trace)

    let damped = Reference.damped(gram.numbers, d: d, damping: 0.25)
    try gram.factor(damping: 0.25, parameter: "layer 1")
    var l = gram.numbers
    for i in 0..<d { for j in i..<d where j > i { l[i * d + j] = 0 } }
    let factor = Comparison.normwise(
      Reference.reconstruct(l, d: d), damped, tolerance: Tolerance.factor.relative(S.precision, terms: d))
    #expect(factor.isAllowed, "\(S.self) \(d): \(factor)")
    for rows in [0, 1, 5] {
      let v = random.normal(rows * d, as: S.self)
      var solution = try Matrix<S>.make(v, rows: rows, columns: d)
      solution.solve(factor: gram)
      let found = solution.numbers
      for i in 0..<rows {
        let part = i * d..<(i + 1) * d
        let solve = Comparison.backward(
          damped, x: Array(found[part]), v: Array(v[part]), d: d,
          tolerance: Tolerance.solve.relative(S.precision, terms: d))
        #expect(d == 0 || solve.isAllowed, "\(S.self) \(d), row \(i): \(solve)")
      }
    }
  }

  /// Of a matrix that is not positive definite it says where, and by what.
  @Test func failedFactor() throws {
    var random = SplitMix64(seed: 104)
    var matrix = try Matrix<Double>.make(random.indefinite(d: 9, pivot: 5), rows: 9, columns: 9)
    guard case .notPositiveDefinite(let failure)? = failure(of: { try matrix.factor(parameter: "own") }) as? FisherError
    else {
      Issue.record("an indefinite matrix was factored")
      return
    }
    #expect(failure.parameter == "own" && failure.order == 9 && failure.neuron == nil && failure.pivot == 5)
  }
}
