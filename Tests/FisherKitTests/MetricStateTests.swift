import FisherKitTestSupport
import Testing

@testable import FisherKit

/// What every metric holds between two steps is saved and restored: it goes on as if nothing had been.
@Suite struct MetricStateTests {
  /// Breaks the first so many attempts at one block.
  private final class Depth: FaultSource {
    let neuron: Int?
    var depth = 0
    init(neuron: Int?) { self.neuron = neuron }
    func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool { neuron == self.neuron && attempt < depth }
  }

  /// A subsystem from outside whose outputs vary together.
  private struct Correlated: Subsystem, Coupling {
    var description: String { "correlated outputs" }
    var form: Form { .coupled(self) }

    func nu<S: KernelScalar>(_ nu: inout Matrix<S>, preactivations z: borrowing Matrix<S>) { nu.fill(with: 1) }

    func covariance<S: KernelScalar>(
      preactivations z: borrowing Matrix<S>
    ) throws(FisherError) -> any SampleCovariance<S> {
      var roots = try Matrix<S>(rows: z.rows * z.columns, columns: z.columns, what: "roots")
      for s in 0..<z.rows {
        for k in 0..<z.columns {
          for i in 0..<z.columns { roots[s * z.columns + k, i] = S(i == k ? 1 : 0.3) + z[s, i] }
        }
      }
      return try RootCovariance(roots: roots, samples: z.rows)
    }
  }

  enum Kind: String, CaseIterable, Sendable {
    case shared, neurons, neuronFactors, softmax, coupled, average, diagonal, iterative, iterativeSoftmax, kernel
    case softmaxKernel, paperShared, paperNeurons, quasiDiagonal

    var subsystem: any Subsystem {
      switch self {
      case .softmax, .iterativeSoftmax, .softmaxKernel: SoftmaxLayer()
      case .coupled: Correlated()
      case .shared: LinearLayer()
      default: NonlinearLayer(Tanh())
      }
    }

    /// Whether it is one block for the layer.
    var isWhole: Bool { [.shared, .softmax, .coupled, .softmaxKernel, .paperShared].contains(self) }
    /// (blocks of a larger order are held by their factors)
    var order: Int { self == .neuronFactors ? 26 : 5 }
  }

  private static let capacity = 12

  /// One that was just made, with what breaks its blocks.
  private final class Bench<S: KernelScalar> {
    let site: CurvatureSite<S>
    let faults: Depth
    let object: any State
    private let inverse: (any WindowInverse<S>)?
    private let curvature: (any Curvature<S>)?

    init(_ kind: Kind) throws {
      let (n, d) = (capacity, kind.order)
      site = CurvatureSite<S>(
        Site(name: "layer", neurons: 4, order: d, subsystem: kind.subsystem), batchSize: n,
        refreshInterval: 1, damping: 0.02)
      faults = Depth(neuron: kind.isWhole ? nil : 2)
      let estimate = CurvatureEstimate(summary: "test", bytes: 0)
      func keep(_ object: any WindowInverse<S> & State) -> (any State, (any WindowInverse<S>)?) { (object, object) }
      var made: (any State, (any WindowInverse<S>)?)?
      var paper: (any Curvature<S> & State)?
      switch kind {
      case .shared: made = keep(try SharedBlockInverse<S>(for: site, order: d, nu: 1))
      case .neurons, .neuronFactors: made = keep(try NeuronBlocksInverse<S>(for: site, order: d, samples: n))
      case .softmax: made = keep(try SoftmaxInverse<S>(for: site, order: d, samples: n))
      case .coupled: made = keep(try CoupledInverse<S>(for: site, coupling: Correlated(), order: d, samples: n))
      case .average: made = keep(try AverageInverse<S>(for: site, decay: 0.5, samples: n))
      case .diagonal: made = keep(try DiagonalInverse<S>(for: site, samples: n))
      case .iterative, .iterativeSoftmax:
        made = keep(try IterativeInverse<S>(for: site, metric: IterativeMetric(), samples: n))
      case .quasiDiagonal: made = keep(try QuasiDiagonalInverse<S>(for: site, samples: n))
      case .kernel: made = keep(try KernelInverse<S>(for: site, samples: n))
      case .softmaxKernel: made = keep(SoftmaxKernelInverse<S>(for: site, samples: n))
      case .paperShared: paper = try AveragedSharedBlock<S>(for: site, decay: 0.9, nu: 1, estimate: estimate)
      case .paperNeurons: paper = try AveragedNeuronBlocks<S>(for: site, decay: 0.9, estimate: estimate)
      }
      (object, inverse, curvature) = (made?.0 ?? paper!, made?.1, paper)
      site.incidents.faults = faults
    }

    /// A refresh with n samples, of which some blocks fail.
    func refresh(_ x: [Double], _ z: [Double], n: Int, depth: Int) throws {
      faults.depth = depth
      let inputs = try Matrix<S>.make(x, rows: n, columns: site.order)
      let preactivations = try Matrix<S>.make(z, rows: n, columns: site.neurons)
      do {
        if let inverse {
          var weights = try Matrix<S>(rows: n, columns: site.neurons)
          inverse.weigh(&weights, preactivations: preactivations)
          try inverse.refresh(inputs: inputs, weights: weights)
        } else {
          try curvature?.observe(inputs: inputs, preactivations: preactivations)
          try curvature?.refresh()
        }
      } catch FisherError.notPositiveDefinite {}
    }

    /// The bits of what becomes of a gradient.
    func direction(_ v: [Double]) throws -> [UInt64] {
      var direction = try Matrix<S>.make(v, rows: site.neurons, columns: site.order)
      try inverse?.precondition(&direction)
      try curvature?.precondition(&direction)
      return direction.numbers.map(\.bitPattern)
    }
  }

  /// Saved after a refresh in which so many attempts at a block failed: every rung of the ladder is in the state of one, and
  /// is gone on from in a refresh that fails as deeply.
  @Test(arguments: Kind.allCases) func goesOnAsIfNothingHadBeen(kind: Kind) throws {
    try goesOn(kind, Double.self)
    try goesOn(kind, Float.self)
  }

  private func goesOn<S: KernelScalar>(_ kind: Kind, _: S.Type) throws {
    for depth in 0...Ladder.diagonal + 1 {
      let place = "\(kind), \(S.self), \(depth) attempts failed"
      let bench = try Bench<S>(kind)
      var generator = SplitMix64(seed: UInt64(100 + depth))
      let d = kind.order
      func window(_ n: Int) -> (x: [Double], z: [Double]) {
        (generator.samples(n: n, d: d), generator.normal(n * 4))
      }
      for (n, depth) in [(12, 0), (7, depth)] {
        let (x, z) = window(n)
        try bench.refresh(x, z, n: n, depth: depth)
      }
      let rungs = Set(bench.site.takeIncidents().map(\.remedy))
      let v = generator.normal(4 * d)
      _ = try bench.direction(v)
      let saved = try SavedState(of: bench.object)
      let other = try Bench<S>(kind)
      if depth == 2 {
        // (one that was used before is as good as one that was just made)
        let (x, z) = window(12)
        try other.refresh(x, z, n: 12, depth: 6)
        _ = other.site.takeIncidents()
      }
      try saved.restore(other.object)
      #expect(try SavedState(of: other.object) == saved, "\(place)")
      #expect(try bench.direction(v) == other.direction(v), "\(place)")
      for (n, depth) in [(9, depth), (12, 6), (12, 0)] {
        let (x, z) = window(n)
        for bench in [bench, other] { try bench.refresh(x, z, n: n, depth: depth) }
        #expect(try bench.direction(v) == other.direction(v), "\(place), a window of \(n)")
        #expect(bench.site.takeIncidents() == other.site.takeIncidents(), "\(place), a window of \(n)")
      }
      if depth == Ladder.lastGood,
        ![.diagonal, .quasiDiagonal, .iterative, .iterativeSoftmax, .kernel, .softmaxKernel].contains(kind)
      {
        #expect(rungs == [.lastGoodBlock], "\(place)")
      }
      if kind == .kernel, depth > Ladder.raises {
        #expect(saved.entries.contains { $0.name == "substitute/reciprocals" }, "\(place)")
      }
    }
  }

  /// In the midst of a refresh in parts, with a block of the refresh before that is to go on.
  @Test func aRefreshUnderWay() throws {
    let (m, d, n) = (200, 5, 12)
    func make() throws -> (NeuronBlocksInverse<Float>, Depth, CurvatureSite<Float>) {
      let site = CurvatureSite<Float>(
        Site(name: "layer", neurons: m, order: d, subsystem: NonlinearLayer(Tanh())), batchSize: n,
        refreshInterval: 10, damping: 0.02, isSpread: true)
      let faults = Depth(neuron: 2)
      site.incidents.faults = faults
      return (try NeuronBlocksInverse<Float>(for: site, order: d, samples: n), faults, site)
    }
    let (one, faults, _) = try make()
    var generator = SplitMix64(seed: 8)
    let v = generator.normal(m * d)
    func direction(_ inverse: NeuronBlocksInverse<Float>) throws -> [Double] {
      var direction = try Matrix<Float>.make(v, rows: m, columns: d)
      inverse.precondition(&direction)
      return direction.numbers
    }
    func refresh(_ inverses: [NeuronBlocksInverse<Float>], _ window: (x: [Double], z: [Double]), part: Int?) throws {
      let inputs = try Matrix<Float>.make(window.x, rows: n, columns: d)
      for inverse in inverses {
        var weights = try Matrix<Float>(rows: n, columns: m)
        inverse.weigh(&weights, preactivations: try .make(window.z, rows: n, columns: m))
        if let part {
          try inverse.refresh(part: part, inputs: inputs, weights: weights)
        } else {
          try inverse.refresh(inputs: inputs, weights: weights)
        }
      }
    }
    try refresh([one], (generator.samples(n: n, d: d), generator.normal(n * m)), part: nil)
    let before = try direction(one)
    #expect(!(try SavedState(of: one)).entries.contains { $0.name == "factors/next" })
    let window = (generator.samples(n: n, d: d), generator.normal(n * m))
    faults.depth = Ladder.lastGood
    try refresh([one], window, part: 0)
    faults.depth = 0
    let saved = try SavedState(of: one)
    #expect(saved.entries.contains { $0.name == "factors/next" })
    #expect(saved.entries.contains { $0.name == "factors/kept" && $0.shape == [1] })
    let (other, _, _) = try make()
    try saved.restore(other)
    #expect(try direction(other) == before)
    for part in 1..<one.refreshParts { try refresh([one, other], window, part: part) }
    let after = try direction(one)
    #expect(try direction(other) == after && after != before)
    #expect(after[2 * d..<3 * d] == before[2 * d..<3 * d], "the block of the refresh before")
  }

  /// Inverses are not taken for factors.
  @Test func heldInAnotherWay() throws {
    func factors(isInverse: Bool) throws -> NeuronFactors<Double> {
      let site = try Bench<Double>(.neurons).site
      return try NeuronFactors(for: site, order: 5, samples: 12, isInverse: isInverse)
    }
    let saved = try SavedState(of: factors(isInverse: true))
    let error = failure(of: { try saved.restore(factors(isInverse: false)) }) as? StateError
    #expect(error == StateError("held as", expected: "factors", found: "inverses"))
  }

  @Test func aSubspace() throws {
    let (n, d, r) = (20, 9, 3)
    let one = try Subspace<Float>(order: d, rank: r, samples: n, name: "layer")
    let other = try Subspace<Float>(order: d, rank: r, samples: n, name: "layer")
    var generator = SplitMix64(seed: 3)
    func follow(_ subspaces: [Subspace<Float>], n: Int, isZero: Bool) throws {
      // (of samples without any direction: all are drawn anew, by the generator)
      let x = isZero ? [Double](repeating: 0, count: n * d) : generator.samples(n: n, d: d)
      for subspace in subspaces { subspace.update(inputs: try .make(x, rows: n, columns: d)) }
    }
    for isZero in [false, true] { try follow([one], n: 20, isZero: isZero) }
    try SavedState(of: one).restore(other)
    for isZero in [true, false] {
      let (a, b) = (one.basis.elements, other.basis.elements)
      #expect(a == b && one.energies == other.energies && one.trace == other.trace)
      try follow([one, other], n: 11, isZero: isZero)
    }
    #expect(try SavedState(of: one) == SavedState(of: other))
  }
}
