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
    if metric == .shared, system.subsystem.isLayer || system.kronecker {
      throw ValidationError(
        "--metric: expected exact with --\(system.kronecker ? "kronecker" : "subsystem \(system.subsystem.rawValue)"), found "
          + "shared")
    }
    guard metric == .exact || metric == .shared else {
      throw ValidationError("--metric: expected exact or shared, found \(metric.rawValue)")
    }
  }

  func run() throws {
    ToolThreads.start(Compute.threads)
    try OutputFile(path: out, inputs: system.files + [("--gradient", gradient)]).write(array: {
      if system.subsystem.isLayer {
        let layer = try LayerSubsystem(system)
        return try solution(layer.rfims(Double.self), isDouble: layer.isDouble)
      }
      let arrays = try system.load()
      // Always in double precision: float32 numbers are exact ones, and so are the pre-activations they make then.
      return try solution(
        [try system.rfim(arrays, shared: metric == .shared, Double.self)], isDouble: arrays.isDouble)
    })
  }

  /// Of parts that are below each other in V.
  private func solution(_ parts: [any RFIM<Double>], isDouble: Bool) throws -> NPYArray {
    let v = try NPYArray(path: gradient)
    let (m, d) = (parts.reduce(0) { $0 + $1.neurons }, parts.first?.order ?? 0)
    guard v.shape == [m, d] || v.shape == [m * d] else {
      throw DataError(gradient, expected: "shape (\(m), \(d)) or (\(m * d),)", found: "\(v.shape)")
    }
    var all = try Matrix<Double>(npy: NPYArray(shape: [m, d], elements: v.elements, place: v.place))
    var first = 0
    for part in parts {
      var direction = try Matrix<Double>(rows: part.neurons, columns: d, what: "direction")
      for i in 0..<part.neurons { for a in 0..<d { direction[i, a] = all[first + i, a] } }
      try require(
        try part.solve(&direction, damping: damping, route: route.route, memoryCap: system.memoryCap))
      for i in 0..<part.neurons { for a in 0..<d { all[first + i, a] = direction[i, a] } }
      first += part.neurons
    }
    let solved = NPYArray(shape: v.shape, numbers: all.elements.flatMap { $0 }, place: out)
    return try solved.rounded(unless: isDouble || v.isDouble)
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
