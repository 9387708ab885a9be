import FisherKit
import FisherKitTestSupport
import Testing

/// The operations on blocks as a user calls them, against the reference: from samples to a solve.
@Suite struct BlockVerbTests {
  /// Around the lanes of a cache line, 8 and 16.
  private static let shapes = [(m: 0, d: 3), (3, 0), (1, 1), (7, 5), (8, 17), (17, 4), (33, 9)]

  @Test(arguments: shapes) func fromSamplesToSolve(m: Int, d: Int) throws {
    try fromSamplesToSolve(Float.self, m, d)
    try fromSamplesToSolve(Double.self, m, d)
  }

  private func fromSamplesToSolve<S: TestScalar>(_: S.Type, _ m: Int, _ d: Int) throws {
    var random = SplitMix64(seed: 131)
    let n = 3 * d + 2
    let x = random.normal(n * d, as: S.self)
    let nu = S.precision.round(random.uniform(n * m, in: 0...1))
    let inputs = try Matrix<S>.make(x, rows: n, columns: d)
    let weights = try Matrix<S>.make(nu, rows: n, columns: m)
    var blocks = try BlockBatch<S>(count: m, order: d)
    let workspace = try blocks.makeWorkspace(samples: n)
    #expect(workspace.samples == n && workspace.count == m && workspace.order == d)

    // In two parts, the second one added.
    blocks.accumulateGram(inputs: inputs, nu: weights, rows: 0..<d, alpha: 0.5, beta: 0, workspace: workspace)
    blocks.accumulateGram(inputs: inputs, nu: weights, rows: d..<n, alpha: 0.5, beta: 1, workspace: workspace)
    blocks.scale(by: 2 / Double(n))
    let expected = Reference.weightedGram(x: x, nu: nu, n: n, d: d, m: m, alpha: 1 / Double(n))
    try compare(blocks, expected, .gram, terms: n, "\(S.self) \(m) of \(d)")
    var traces = [Double](repeating: .nan, count: m)
    blocks.traces(of: 0..<m, into: &traces)
    for b in 0..<m {
      let trace = (0..<d).reduce(0) { $0 + Double(blocks[b, $1, $1]) }
      #expect(abs(traces[b] - trace) <= 1e-12 * trace)
    }

    let dampings = (0..<m).map { 0.1 + 0.01 * Double($0) }
    blocks.addToDiagonals(dampings, of: 0..<m)
    let damped = (0..<m).map { b in
      (0..<d * d).map { Double(blocks[b, $0 / d, $0 % d]) }
    }
    try compare(
      blocks, zip(expected, dampings).map { Reference.damped($0, d: d, damping: $1) }, .gram, terms: n, "damped")

    let v = random.normal(m * d, as: S.self)
    var product = try Matrix<S>(rows: m, columns: d)
    blocks.multiply(&product, try .make(v, rows: m, columns: d))
    var inPlace = try Matrix<S>.make(v, rows: m, columns: d)
    blocks.multiply(&inPlace, workspace: workspace)
    for b in 0..<m {
      let expected = Reference.gemm(
        a: damped[b], b: Array(v[b * d..<(b + 1) * d]), m: d, n: 1, k: d)
      for found in [product.numbers, inPlace.numbers] {
        let comparison = Comparison.normwise(
          Array(found[b * d..<(b + 1) * d]), expected, scale: 4,
          tolerance: Tolerance.product.relative(S.precision, terms: d))
        #expect(comparison.isAllowed, "\(S.self) block \(b) of \(m) of \(d): \(comparison)")
      }
    }

    var factors = try BlockBatch<S>(count: m, order: d)
    factors.copy(from: blocks)
    try factors.factor(scale: 2, damping: 0.5, parameter: "layer 1", workspace: workspace)
    var solution = try Matrix<S>.make(v, rows: m, columns: d)
    factors.solve(&solution, workspace: workspace)
    factors.invert(workspace: workspace)
    var byInverse = try Matrix<S>.make(v, rows: m, columns: d)
    factors.multiply(&byInverse, workspace: workspace)
    for b in 0..<m where d > 0 {
      let matrix = Reference.damped(damped[b].map { 2 * $0 }, d: d, damping: 0.5)
      for found in [solution.numbers, byInverse.numbers] {
        let comparison = Comparison.backward(
          matrix, x: Array(found[b * d..<(b + 1) * d]), v: Array(v[b * d..<(b + 1) * d]), d: d,
          tolerance: 4 * Tolerance.solve.relative(S.precision, terms: d))
        #expect(comparison.isAllowed, "\(S.self) block \(b) of \(m) of \(d): \(comparison)")
      }
    }
  }

  private func compare<S: TestScalar>(
    _ blocks: borrowing BlockBatch<S>, _ expected: [[Double]], _ tolerance: Tolerance, terms: Int, _ place: String
  ) throws {
    let d = blocks.order
    for b in 0..<blocks.count {
      var found: [Double] = []
      for i in 0..<d { for j in 0..<d { found.append(Double(blocks[b, i, j])) } }
      let comparison = Comparison.normwise(
        found, expected[b], tolerance: tolerance.relative(S.precision, terms: terms))
      #expect(comparison.isAllowed, "\(place), block \(b): \(comparison)")
    }
  }

  /// Groups of lanes alone are summed and factored, the others stay; the last group may be a part.
  @Test func someBlocks() throws {
    let (n, d, m) = (5, 3, 19)
    var random = SplitMix64(seed: 132)
    let x = try Matrix<Double>.make(random.normal(n * d), rows: n, columns: d)
    var nu = try Matrix<Double>(rows: n, columns: m)
    nu.fill(with: 1)
    var blocks = try BlockBatch<Double>(count: m, order: d)
    let workspace = try blocks.makeWorkspace(samples: n)
    blocks.accumulateGram(inputs: x, nu: nu, blocks: 16..<19, alpha: 1, beta: 0, workspace: workspace)
    let (left, summed) = ((0..<16).map { blocks[$0, 0, 0] }, (16..<19).map { blocks[$0, 0, 0] })
    #expect(left.allSatisfy { $0 == 0 } && summed.allSatisfy { $0 == summed[0] && $0 > 0 })
    try blocks.factor(damping: 1, blocks: 16..<19, workspace: workspace)
    let first = blocks[0, 0, 0]
    #expect(first == 0)
  }

  /// The first neuron that fails, and a work space of another shape.
  @Test func refusals() async throws {
    var blocks = try BlockBatch<Float>(count: 18, order: 2)
    let workspace = try blocks.makeWorkspace(samples: 1)
    for b in 0..<18 {
      blocks[b, 0, 0] = 1
      blocks[b, 1, 1] = b == 17 ? -3 : 1
    }
    let found = failure { try blocks.factor(damping: 1, parameter: "own", workspace: workspace) } as? FisherError
    guard case .notPositiveDefinite(let failure)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(failure.parameter == "own" && failure.neuron == 17 && failure.pivot == 1 && failure.failedBlocks == 1)
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let blocks = try BlockBatch<Float>(count: 18, order: 2)
      let small = try BlockBatch<Float>(count: 17, order: 2).makeWorkspace(samples: 1)
      var vectors = try Matrix<Float>(rows: 18, columns: 2)
      blocks.solve(&vectors, workspace: small)
    }
    #expect(words(result).contains("work space for 17 blocks of order 2, expected 18 of order 2"))
  }
}
