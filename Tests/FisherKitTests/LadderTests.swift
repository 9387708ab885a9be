import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Every rung that a block goes down when it cannot be factored, for every metric that has it.
@Suite struct LadderTests {
  /// Breaks the first so many attempts at one block.
  private final class Depth: FaultSource {
    let neuron: Int?
    let depth: Int
    init(neuron: Int?, depth: Int) { (self.neuron, self.depth) = (neuron, depth) }
    func breaks(layer: String, neuron: Int?, attempt: Int) -> Bool { neuron == self.neuron && attempt < depth }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let metric: any Metric
    var subsystem: any Subsystem = NonlinearLayer(Tanh())
    /// Whether it is one block for the layer.
    var isWhole = false
    /// The place among three layers.
    var index = 1
    /// What becomes of a block whose first 1, 2, … 7 attempts fail, in a first refresh and in a later one; `nil` for no
    /// block that could fail.
    let first: [Incident.Remedy?]
    let later: [Incident.Remedy?]
    var testDescription: String { name }
  }

  private static let raised = Array(repeating: Incident.Remedy?.some(.raisedDamping), count: 3)
  private static let full: [Incident.Remedy?] = raised + [.doublePrecision, .lastGoodBlock, .diagonal, .plainGradient]
  private static let fullFirst: [Incident.Remedy?] = raised + [.doublePrecision, .diagonal, .diagonal, .plainGradient]
  private static let kernel: [Incident.Remedy?] = raised + [.diagonal, .diagonal, .diagonal, .plainGradient]
  private static let system: [Incident.Remedy?] = raised + Array(repeating: .plainGradient, count: 4)
  private static let last: [Incident.Remedy?] = Array(repeating: nil, count: 6) + [.plainGradient]

  static let cases: [Case] = [
    Case(name: "exact", metric: ExactMetric(), first: fullFirst, later: full),
    Case(
      name: "exact, softmax", metric: ExactMetric(), subsystem: SoftmaxLayer(), isWhole: true, first: fullFirst,
      later: full),
    Case(
      name: "exact, linear", metric: ExactMetric(), subsystem: LinearLayer(), isWhole: true, first: fullFirst,
      later: full),
    Case(name: "projected", metric: ProjectedMetric(rank: .fixed(3)), first: fullFirst, later: full),
    Case(
      name: "projected, softmax", metric: ProjectedMetric(rank: .fixed(3)), subsystem: SoftmaxLayer(), isWhole: true,
      first: fullFirst, later: full),
    Case(name: "shared", metric: SharedMetric(), isWhole: true, first: fullFirst, later: full),
    Case(name: "average", metric: AverageMetric(), first: fullFirst, later: full),
    Case(name: "average, softmax", metric: AverageMetric(), subsystem: SoftmaxLayer(), first: fullFirst, later: full),
    Case(name: "paper", metric: PaperMetric(), first: fullFirst, later: full),
    Case(name: "paper, at the ends", metric: PaperMetric(), isWhole: true, index: 0, first: fullFirst, later: full),
    Case(name: "kernel", metric: KernelMetric(), first: kernel, later: kernel),
    Case(
      name: "kernel, softmax", metric: KernelMetric(), subsystem: SoftmaxLayer(), isWhole: true, first: system,
      later: system),
    Case(name: "diagonal", metric: DiagonalMetric(), first: last, later: last),
    Case(name: "iterative", metric: IterativeMetric(), first: last, later: last),
    Case(name: "batch normalisation", metric: ExactMetric(), subsystem: BatchNorm(), first: system, later: system),
  ]

  private let n = 12
  private let m = 4

  /// One layer's curvature, with what it was shown last.
  private final class Bench {
    let site: CurvatureSite<Double>
    let curvature: any Curvature<Double>
    private(set) var x: [Double] = []
    private(set) var z: [Double] = []

    init(_ test: Case, n: Int, m: Int) throws {
      let d = test.subsystem is BatchNorm ? 2 : 5
      site = CurvatureSite(
        Site(name: "layer", neurons: m, order: d, subsystem: test.subsystem), batchSize: n,
        refreshInterval: 1, damping: 0.02)
      curvature =
        try site.curvatureOfItsForm()
        ?? test.metric.makeCurvature(for: site, isInside: test.index == 1)
    }

    /// - Returns: the remedy of a refresh by a mini-batch, and what neuron it names.
    func refresh(n: Int, _ generator: inout SplitMix64) throws -> (incidents: [Incident], isThrown: Bool) {
      let columns = site.subsystem is BatchNorm ? site.neurons : site.order
      x = site.subsystem is BatchNorm ? generator.normal(n * columns) : generator.samples(n: n, d: columns)
      z = generator.normal(n * site.neurons)
      try curvature.observe(
        inputs: .make(x, rows: n, columns: columns), preactivations: .make(z, rows: n, columns: site.neurons))
      do {
        try curvature.refresh()
        return (site.takeIncidents(), false)
      } catch .notPositiveDefinite {
        return (site.takeIncidents(), true)
      }
    }

    func direction(_ v: [Double]) throws -> [Double] {
      var direction = try Matrix<Double>.make(v, rows: site.neurons, columns: site.order)
      try curvature.precondition(&direction)
      return direction.numbers
    }
  }

  @Test(arguments: cases, [false, true]) func everyRung(test: Case, isLater: Bool) throws {
    let neuron = test.isWhole ? nil : 2
    for (depth, remedy) in zip(1..., isLater ? test.later : test.first) {
      let place = "\(test.name), \(depth) attempts failed, \(isLater ? "later" : "first")"
      let (broken, whole) = (try Bench(test, n: n, m: m), try Bench(test, n: n, m: m))
      var generator = SplitMix64(seed: 90)
      let d = broken.site.order
      let v = generator.normal(m * d)
      var before: [Double]?
      if isLater {
        var same = generator
        #expect(try broken.refresh(n: n, &generator).incidents.isEmpty)
        _ = try whole.refresh(n: n, &same)
        before = try broken.direction(v)
      }
      broken.site.incidents.faults = Depth(neuron: neuron, depth: depth)
      var same = generator
      let (incidents, isThrown) = try broken.refresh(n: n, &generator)
      _ = try whole.refresh(n: n, &same)
      let expected = try whole.direction(v)
      // (what throws is given plain gradients by the optimizer)
      if isThrown {
        #expect(remedy == .plainGradient && incidents.isEmpty && test.isWhole, "\(place)")
      } else {
        let remedies = remedy.map { [$0] } ?? []
        #expect(incidents.map(\.remedy) == remedies, "\(place)")
        #expect(incidents.allSatisfy { $0.neuron == neuron }, "\(place): \(incidents)")
        let found = try broken.direction(v)
        let isFinite = found.allSatisfy { $0.isFinite }
        #expect(isFinite, "\(place)")
        let its = neuron.map { $0 * d..<($0 + 1) * d } ?? 0..<m * d
        for i in found.indices where !its.contains(i) {
          let isSame = abs(found[i] - expected[i]) <= 1e-9 * (1 + abs(expected[i]))
          #expect(isSame, "\(place): another neuron")
        }
        let isIterated = test.metric is IterativeMetric
        if remedy == nil {
          #expect(found == expected, "\(place)")
        } else if remedy != .doublePrecision, !isIterated {
          #expect(Array(found[its]) != Array(expected[its]), "\(place): nothing was done")
        }
        // (that of a subspace is one of coordinates that have turned since)
        if remedy == .lastGoodBlock, !(test.metric is ProjectedMetric), let before {
          #expect(Array(found[its]) == Array(before[its]), "\(place)")
        }
        let isSubspace = test.metric is ProjectedMetric
        if remedy == .plainGradient, !isIterated, !isSubspace {
          #expect(Array(found[its]) == Array(v[its]), "\(place)")
        }
        if test.name == "exact", let incident = incidents.first {
          try check(incident, Array(found[its]), broken, Array(v[its]), neuron: 2)
        }
      }
      // The next refresh finds nothing left of it.
      broken.site.incidents.faults = nil
      same = generator
      #expect(try broken.refresh(n: n, &generator).incidents.isEmpty, "\(place)")
      _ = try whole.refresh(n: n, &same)
      let (next, anew) = (try broken.direction(v), try whole.direction(v))
      #expect(Comparison.normwise(next, anew, tolerance: 1e-9).isAllowed, "\(place)")
    }
  }

  /// What a neuron's substitute is, by Gaussian elimination.
  private func check(_ incident: Incident, _ found: [Double], _ bench: Bench, _ v: [Double], neuron: Int) throws {
    let d = v.count
    var window = Window()
    window.add(x: bench.x, nu: bench.z.map { Reference.Activation.tanh.nu($0) }, samples: n)
    let block = window.takeMatrices(neurons: m, order: d)[neuron]
    switch incident.remedy {
    case .raisedDamping, .doublePrecision:
      let damping = try #require(incident.damping)
      let raises = [0.2, 2, 20].contains { abs(damping / $0 - 1) < 1e-12 }
      #expect(incident.remedy == .raisedDamping ? raises : damping == 0.02, "\(incident)")
      #expect(Comparison.normwise(found, eliminate(block, v, damping: damping), tolerance: 1e-11).isAllowed)
    case .diagonal:
      // (the damping that was asked for)
      let expected = v.indices.map { v[$0] / (block[$0 * d + $0] + 0.02) }
      #expect(Comparison.normwise(found, expected, tolerance: 1e-12).isAllowed, "\(found) \(expected)")
    default: break
    }
  }
}
