import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Solve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the natural gradient (G + λI)⁻¹V of a subsystem.",
    discussion: """
      V is (m,d) with d = inputs + 1, or its md numbers in a row; D has V's shape. float64 in gives float64 out. \
      The work is done in double precision: D is off by no more than 1e-7 in norm, or is refused.

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
    try OutputFile(path: out, inputs: system.files + [("--gradient", gradient)]).write(array: {
      let arrays = try system.load()
      let v = try NPYArray(path: gradient)
      let (m, d) = (arrays.w.shape[0], arrays.w.shape[1])
      guard v.shape == [m, d] || v.shape == [m * d] else {
        throw DataError(gradient, expected: "shape (\(m), \(d)) or (\(m * d),)", found: "\(v.shape)")
      }
      return try solution(arrays, v)
    })
  }

  private func solution(_ arrays: SubsystemArrays, _ v: NPYArray) throws -> NPYArray {
    // Always in double precision: float32 numbers are exact ones, and so are the pre-activations they make then.
    let fisher = try system.rfim(arrays, shared: metric == .shared, Double.self)
    let shape = [fisher.neurons, fisher.order]
    var direction = try Matrix<Double>(npy: NPYArray(shape: shape, elements: v.elements, place: v.place))
    try require(
      try fisher.solve(&direction, damping: damping, route: route.route, memoryCap: system.memoryCap))
    let numbers = direction.elements.flatMap { $0 }
    if arrays.isDouble || v.isDouble { return NPYArray(shape: v.shape, numbers: numbers, place: out) }
    let rounded = numbers.map { Float($0) }
    guard rounded.allSatisfy(\.isFinite) else {
      throw DataError(gradient, expected: "a direction that float32 can hold", found: "one that it cannot")
    }
    return NPYArray(shape: v.shape, numbers: rounded, place: out)
  }

  /// Conjugate gradients promise a residual: the bound on the error that comes of it has to do as well.
  private func require(_ report: SolveReport) throws {
    let bound = report.errorBound ?? .infinity
    guard bound <= Self.tolerance else {
      throw FisherError.inaccurate(
        what: "solution with the Fisher matrix", errorBound: bound, tolerance: Self.tolerance,
        residual: report.residual ?? .nan, damping: damping)
    }
  }

  private static let tolerance = 1e-7
}

enum RouteName: String, CaseIterable, ExpressibleByArgument {
  case auto, dense
  case lowRank = "low-rank"
  case conjugateGradients = "conjugate-gradients"

  var route: SolveRoute {
    switch self {
    case .auto: .automatic
    case .dense: .dense
    case .lowRank: .lowRank
    // (a residual whose bound on the error is small enough, whatever the damping, and that rounding still allows)
    case .conjugateGradients: .conjugateGradients(tolerance: 0x1p-64, iterations: 10_000)
    }
  }
}
