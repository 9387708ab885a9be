import FisherKit
import FisherKitTestSupport
import Testing

/// The projected metric: exact where the inputs are, a number for each neuron elsewhere.
@Suite struct ProjectedMetricTests {
  private let damping = 0.01
  private let d = 20
  private let m = 5
  private let n = 60

  /// Inputs whose k-th direction has the energy energies[k], the directions being an orthonormal basis that mixes all
  /// coordinates.
  private func inputs(_ energies: [Double], _ basis: [[Double]], using generator: inout SplitMix64) -> [Double] {
    (0..<n).flatMap { _ -> [Double] in
      let coefficients = zip(energies, generator.normal(energies.count)).map { $0.squareRoot() * $1 }
      return (0..<d).map { j in coefficients.indices.reduce(0) { $0 + coefficients[$1] * basis[$1][j] } }
    }
  }

  /// d orthonormal rows, by Gram and Schmidt.
  private func orthonormal(using generator: inout SplitMix64) -> [[Double]] {
    var rows: [[Double]] = []
    while rows.count < d {
      var row = generator.normal(d)
      for _ in 1...2 {
        for other in rows {
          let dot = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
          row = zip(row, other).map { $0 - dot * $1 }
        }
      }
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      rows.append(row.map { $0 / norm })
    }
    return rows
  }

  private func curvature<S: KernelScalar>(
    _: S.Type, _ kind: LayerKind, _ rank: ProjectedMetric.Rank
  ) throws -> any Curvature<S> {
    try ProjectedMetric(rank: rank, windowSamples: n).makeCurvature(
      for: CurvatureSite<S>(
        Site(name: "layer", neurons: m, order: d, subsystem: kind.subsystem), batchSize: n,
        refreshInterval: 1, damping: .absolute(damping)))
  }

  private func compare<S: KernelScalar>(
    _: S.Type, _ kind: LayerKind, rank: ProjectedMetric.Rank, energies: [Double], tolerance: Double
  ) throws {
    var generator = SplitMix64(seed: 41)
    let basis = orthonormal(using: &generator)
    let curvature = try curvature(S.self, kind, rank)
    for round in 1...3 {
      let x = inputs(energies, basis, using: &generator)
      let (z, v) = (generator.normal(n * m), generator.normal(m * d))
      try curvature.observe(
        inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
      try curvature.refresh()
      var direction = try Matrix<S>.make(v, rows: m, columns: d)
      try curvature.precondition(&direction)
      let comparison = Comparison.normwise(
        direction.numbers, kind.direction(x: x, z: z, v: v, d: d, m: m, damping: damping), tolerance: tolerance)
      #expect(comparison.isAllowed, "\(S.self), \(kind), rank \(rank), round \(round): \(comparison)")
    }
  }

  @Test(arguments: LayerKind.allCases) func fullRankIsExact(kind: LayerKind) throws {
    let energies = (0..<d).map { 1 / Double(1 + $0) }
    try compare(Double.self, kind, rank: .fixed(d), energies: energies, tolerance: 1e-10)
    try compare(Float.self, kind, rank: .fixed(d), energies: energies, tolerance: 1e-3)
    // More than there are: the exact metric itself.
    try compare(Double.self, kind, rank: .fixed(d + 1), energies: energies, tolerance: 1e-11)
  }

  /// Inputs that span no more than r directions leave nothing outside, and a basis with room to spare does no harm.
  @Test(arguments: LayerKind.allCases, [6, 9]) func inputsInsideTheSubspace(kind: LayerKind, rank: Int) throws {
    let energies = [3, 1, 1, 0.5, 0.1, 0.02]
    try compare(Double.self, kind, rank: .fixed(rank), energies: energies, tolerance: 1e-9)
    try compare(Float.self, kind, rank: .fixed(rank), energies: energies, tolerance: 2e-3)
  }

  /// The formula, with the true eigenspace: 4 leading directions, and 16 weak ones that count by their mean.
  @Test func formulaOutsideTheSubspace() throws {
    var generator = SplitMix64(seed: 42)
    let basis = orthonormal(using: &generator)
    let (r, energies) = (4, [5, 4, 3, 2] + Array(repeating: 1e-3, count: 16))
    let x = inputs(energies, basis, using: &generator)
    let (z, v) = (generator.normal(n * m), generator.normal(m * d))
    let curvature = try curvature(Double.self, .neurons, .fixed(r))
    // The same window again and again: the subspace converges.
    for _ in 1...8 {
      try curvature.observe(
        inputs: .make(x, rows: n, columns: d), preactivations: .make(z, rows: n, columns: m))
      try curvature.refresh()
    }
    var direction = try Matrix<Double>.make(v, rows: m, columns: d)
    try curvature.precondition(&direction)
    // The eigenspace of the sample's second moment, by many steps of power iteration on all of it.
    let second = Reference.gram(x: x, n: n, d: d, alpha: 1 / Double(n))
    var u = Array(basis.prefix(r))
    for _ in 1...60 {
      u = u.map { row in (0..<d).map { a in (0..<d).reduce(0) { $0 + second[max(a, $1) * d + min(a, $1)] * row[$1] } } }
      for i in 0..<r {
        for j in 0..<i {
          let dot = zip(u[i], u[j]).reduce(0) { $0 + $1.0 * $1.1 }
          u[i] = zip(u[i], u[j]).map { $0 - dot * $1 }
        }
        let norm = u[i].reduce(0) { $0 + $1 * $1 }.squareRoot()
        u[i] = u[i].map { $0 / norm }
      }
    }
    let p = (0..<n).flatMap { s in u.map { row in (0..<d).reduce(0) { $0 + row[$1] * x[s * d + $1] } } }
    let trace = x.reduce(0) { $0 + $1 * $1 } / Double(n)
    let rest = max(0, trace - p.reduce(0) { $0 + $1 * $1 } / Double(n)) / Double(d - r)
    let nu = z.map { Reference.Activation.tanh.nu($0) }
    var window = Window()
    window.add(x: p, nu: nu, samples: n)
    let blocks = window.takeMatrices(neurons: m, order: r)
    var expected: [Double] = []
    for i in 0..<m {
      let g = Array(v[i * d..<(i + 1) * d])
      let inside = u.map { row in zip(row, g).reduce(0) { $0 + $1.0 * $1.1 } }
      let solved = eliminate(blocks[i], inside, damping: damping)
      let c = damping + rest * (0..<n).reduce(0) { $0 + nu[$1 * m + i] } / Double(n)
      expected += (0..<d).map { a in
        g[a] / c + (0..<r).reduce(0) { $0 + u[$1][a] * (solved[$1] - inside[$1] / c) }
      }
    }
    let comparison = Comparison.normwise(direction.numbers, expected, tolerance: 1e-6)
    #expect(comparison.isAllowed, "\(comparison)")
    // And it is near the exact direction, which a step along plain gradients is not.
    let exact = LayerKind.neurons.direction(x: x, z: z, v: v, d: d, m: m, damping: damping)
    #expect(Comparison.normwise(direction.numbers, exact, tolerance: 0.2).isAllowed)
    #expect(!Comparison.normwise(v.map { $0 / damping }, exact, tolerance: 0.2).isAllowed)
  }

  /// The share of the effective dimension decides on the rank: high shares take in the weak directions.
  @Test func rankByShare() throws {
    let energies = [5, 4, 3, 2] + Array(repeating: 1e-6, count: 16)
    var generator = SplitMix64(seed: 43)
    let basis = orthonormal(using: &generator)
    func memory(_ share: Double, _ energies: [Double]) throws -> Int {
      let curvature = try curvature(Double.self, .neurons, .share(share, atMost: 16))
      for _ in 1...2 {
        let x = inputs(energies, basis, using: &generator)
        try curvature.observe(
          inputs: .make(x, rows: n, columns: d), preactivations: .make(generator.normal(n * m), rows: n, columns: m))
        try curvature.refresh()
      }
      var direction = try Matrix<Double>.make(generator.normal(m * d), rows: m, columns: d)
      try curvature.precondition(&direction)
      let isFinite = direction.isFinite
      #expect(isFinite)
      return curvature.bytes
    }
    let flat = Array(repeating: 1.0, count: d)
    #expect(try memory(0.9, energies) < memory(0.9, flat))
    #expect(try memory(0.2, flat) < memory(0.9, flat))
    // What is kept is as exact as a fixed rank of 4 would make it.
    try compare(Double.self, .neurons, rank: .share(0.999999, atMost: 12), energies: [5, 4, 3, 2], tolerance: 1e-9)
  }

  /// Without damping there is nothing to divide by outside the subspace, and inside it goes down the ladder.
  @Test func singularOutside() throws {
    let site = CurvatureSite<Double>(
      Site(name: "layer 7", neurons: m, order: d, subsystem: NonlinearLayer(Tanh())), batchSize: n,
      refreshInterval: 1, damping: 0.0)
    let curvature = try ProjectedMetric(rank: .fixed(4), windowSamples: n).makeCurvature(for: site)
    var generator = SplitMix64(seed: 44)
    let basis = orthonormal(using: &generator)
    try curvature.observe(
      inputs: .make(inputs([1, 1, 1, 1], basis, using: &generator), rows: n, columns: d),
      preactivations: .make(Array(repeating: 800, count: n * m), rows: n, columns: m))
    try curvature.refresh()
    #expect(
      site.takeIncidents()
        == (0..<m).map { Incident(layer: "layer 7", neuron: $0, remedy: .raisedDamping, damping: 1e-9) })
    var direction = try Matrix<Double>.make(generator.normal(m * d), rows: m, columns: d)
    try curvature.precondition(&direction)
    let isFinite = direction.isFinite
    #expect(isFinite)
  }
}
