import ArgumentParser
import FisherKit
import ToolSupport

struct Solve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the natural gradient (G + λI)⁻¹V of a subsystem.",
    discussion: """
      V is (m,d) with d = inputs + 1, or its md numbers in a row; D has V's shape. float64 in gives float64 out.

      Example: fisher solve --subsystem softmax --inputs X.npy --weights W.npy --gradient V.npy --damping 0.005 --out D.npy
      """)

  @OptionGroup(title: "Subsystem") var system: SubsystemOptions
  @Option(help: ArgumentHelp("V.", valueName: "v.npy")) var gradient: String
  @Option(parsing: .unconditional, help: ArgumentHelp("λ.", valueName: "λ")) var damping: Double
  @Option(
    help: ArgumentHelp("exact, or shared: one matrix with ν = 1 for all neurons.", valueName: "exact|shared"))
  var metric = MetricName.exact
  @Option(help: ArgumentHelp("How softmax and two-layers are solved.", valueName: "route")) var route = RouteName.auto
  @Option(help: ArgumentHelp("Where to write D.", valueName: "d.npy")) var out: String

  func validate() throws {
    guard damping >= 0, damping <= 1e30 else {
      throw ValidationError("--damping: expected a number from 0 to 1e30, found \(damping)")
    }
    guard metric == .exact || metric == .shared else {
      throw ValidationError("--metric: expected exact or shared, found \(metric.rawValue)")
    }
  }

  func run() throws {
    ToolThreads.start(Compute.threads)
    try OutputArray(path: out, inputs: system.files + [("--gradient", gradient)]).write {
      let arrays = try system.load()
      let v = try NPYArray(path: gradient)
      let (m, d) = (arrays.w.shape[0], arrays.w.shape[1])
      guard v.shape == [m, d] || v.shape == [m * d] else {
        throw DataError(gradient, expected: "shape (\(m), \(d)) or (\(m * d),)", found: "\(v.shape)")
      }
      return try arrays.isDouble || v.isDouble ? solution(arrays, v, Double.self) : solution(arrays, v, Float.self)
    }
  }

  private func solution<S: KernelScalar>(_ arrays: SubsystemArrays, _ v: NPYArray, _: S.Type) throws -> NPYArray {
    let fisher = try system.rfim(arrays, shared: metric == .shared, S.self)
    let shape = [fisher.neurons, fisher.order]
    var direction = try Matrix<S>(npy: NPYArray(shape: shape, elements: v.elements, place: v.place))
    try fisher.solve(
      &direction, damping: damping, route: route.route(S.self), memoryCap: system.memoryCap)
    return NPYArray(shape: v.shape, numbers: direction.elements.flatMap { $0 }, place: out)
  }
}

enum RouteName: String, CaseIterable, ExpressibleByArgument {
  case auto, dense
  case lowRank = "low-rank"
  case conjugateGradients = "conjugate-gradients"

  func route<S: KernelScalar>(_: S.Type) -> SolveRoute {
    switch self {
    case .auto: .automatic
    case .dense: .dense
    case .lowRank: .lowRank
    case .conjugateGradients: .conjugateGradients(tolerance: Double(S.ulpOfOne) * 16, iterations: 10_000)
    }
  }
}
