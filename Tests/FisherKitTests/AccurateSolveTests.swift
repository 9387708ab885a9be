import FisherKit
import FisherKitTestSupport
import Testing

/// Solves are right or refused, however badly conditioned: against elimination in extended precision.
@Suite struct AccurateSolveTests {
  private static let routes: [SolveRoute] = [
    .automatic, .dense, .lowRank, .conjugateGradients(tolerance: 1e-18, iterations: 4000),
  ]

  /// Whether the reference is good for condition numbers beyond those of double precision.
  private static let canJudge = Wide.ulpOfOne < 1e-18

  /// What the reference itself may be off by: its rounding times the condition number, or less.
  private func doubt(_ matrices: [[Wide]], _ system: IllConditionedSystem, damping: Double) -> Double {
    let size = system.m * system.d / matrices.count
    let traces = matrices.map { matrix in (0..<size).reduce(Wide(0)) { $0 + matrix[$1 * size + $1] } }
    return Double((traces.max() ?? 0) / Wide(damping) * Wide.ulpOfOne)
  }

  private func solve<S: KernelScalar>(
    _ system: IllConditionedSystem, damping: Double, route: SolveRoute, _: S.Type
  ) throws -> (numbers: [Double], report: SolveReport) {
    let fisher = try system.make(S.self)
    var solution = try Matrix<S>.make(system.v, rows: system.m, columns: system.d)
    let report = try fisher.solve(&solution, damping: damping, route: route, memoryCap: defaultMemoryCap)
    return (solution.numbers, report)
  }

  private func solve(
    _ system: IllConditionedSystem, damping: Double, route: SolveRoute
  ) throws -> (numbers: [Double], report: SolveReport) {
    try system.isDouble
      ? solve(system, damping: damping, route: route, Double.self)
      : solve(system, damping: damping, route: route, Float.self)
  }

  /// The grid of what people have: a direction, by every route, to 10⁻⁷ in Float, which is its rounding, and 10⁻⁹ in
  /// Double.
  @Test(arguments: IllConditionedSystem.Kind.allCases, [false, true])
  func solutions(kind: IllConditionedSystem.Kind, isDouble: Bool) throws {
    for n in [3, 6, 20] {
      for scale in [1.0, 30, 300, 1000] where scale < 100 || Self.canJudge {
        let system = IllConditionedSystem(kind, n: n, scale: scale, isDouble: isDouble, seed: 31)
        let matrices = system.matrices
        for damping in [1e-6, 1e-3, 1.0] {
          let doubt = doubt(matrices, system, damping: damping)
          for route in Self.routes {
            let (found, report) = try solve(system, damping: damping, route: route)
            let error = system.error(of: found, matrices: matrices, damping: damping)
            // (conjugate gradients promise their residual alone)
            let tolerance = max(isDouble ? 1e-9 : 1e-7, report.errorBound!)
            #expect(tolerance <= 1e-6 && report.residual != nil, "\(system), λ \(damping), \(route): \(report)")
            #expect(error <= tolerance + doubt, "\(system), λ \(damping), \(route): \(error), \(report)")
          }
        }
      }
    }
  }

  /// Beyond double precision: right, or refused for a reason. Both happen.
  @Test(.enabled(if: AccurateSolveTests.canJudge), arguments: IllConditionedSystem.Kind.allCases)
  func refusals(kind: IllConditionedSystem.Kind) throws {
    var (solved, refused) = (0, 0)
    for n in [3, 6, 20] {
      for scale in [1e3, 1e4, 1e5] {
        let system = IllConditionedSystem(kind, n: n, scale: scale, isDouble: true, seed: 37)
        let matrices = system.matrices
        for damping in [0, 1e-30, 1e-16, 1e-12, 1e-9, 1e-7] {
          // With more samples than weights it is not the damping that makes the condition, unless shifts change nothing.
          let isRegular = n > system.d && kind != .softmax
          let doubt = doubt(matrices, system, damping: isRegular ? max(damping, 1) : damping)
          for route in Self.routes where damping > 0 || route == .dense || route == .automatic {
            let outcome = Result { try solve(system, damping: damping, route: route) }
            switch outcome {
            case .success(let (found, report)):
              solved += 1
              let error = system.error(of: found, matrices: matrices, damping: damping)
              if case .conjugateGradients = route, report.errorBound ?? 1 > 1e-9 { continue }
              #expect(error <= 1e-6 + doubt, "\(system), λ \(damping), \(route): \(error), \(report)")
            case .failure(let error as FisherError):
              refused += 1
              switch error {
              case .notPositiveDefinite, .inaccurate, .notConverged: break
              default: Issue.record("\(system), λ \(damping), \(route): \(error)")
              }
            case .failure(let error): throw error
            }
          }
        }
      }
    }
    #expect(solved > 0 && refused > 0, "\(kind): \(solved) solved, \(refused) refused")
  }

  /// Without damping, where the samples determine every weight.
  @Test func withoutDamping() throws {
    for kind in [IllConditionedSystem.Kind.tanh, .linear] {
      for isDouble in [false, true] {
        let system = IllConditionedSystem(kind, n: 30, scale: 30, isDouble: isDouble, seed: 41)
        let (found, report) = try solve(system, damping: 0, route: .automatic)
        let error = system.error(of: found, matrices: system.matrices, damping: 0)
        #expect(error <= 1e-7 && report.route == .dense && report.errorBound! <= 1e-9, "\(system): \(error), \(report)")
      }
    }
  }

  /// A direction without a pull is one too many where one is missing: the null space of a softmax of two classes, which a
  /// single rounded pivot need not show.
  @Test func aSingularMatrixIsRefused() throws {
    for seed in 1...40 {
      var random = SplitMix64(seed: UInt64(seed))
      let fisher = try SoftmaxLayer().rfim(
        inputs: Matrix<Double>.make([1], rows: 1, columns: 1),
        preactivations: .make(random.normal(2), rows: 1, columns: 2))
      var v = try Matrix<Double>.make([1, -1], rows: 2, columns: 1)
      let error = failure(of: { try fisher.solve(&v, damping: 0) }) as? FisherError
      switch error {
      case .notPositiveDefinite, .inaccurate: break
      default: Issue.record("seed \(seed): found \(String(describing: error)), \(v.numbers)")
      }
      #expect(v.numbers == [1, -1])
    }
  }

  /// Conjugate gradients stop at the residual asked for, as it is and not as the recurrence carries it.
  @Test(arguments: [1e-3, 1e-8, 1e-13]) func residualOfConjugateGradients(tolerance: Double) throws {
    for kind in [IllConditionedSystem.Kind.softmax, .underSigm] {
      let system = IllConditionedSystem(kind, n: 20, scale: 100, isDouble: true, seed: 43)
      let (found, report) = try solve(
        system, damping: 1e-3, route: .conjugateGradients(tolerance: tolerance, iterations: 2000))
      let residual = system.residual(of: found, matrices: system.matrices, damping: 1e-3)
      #expect(report.residual! <= tolerance)
      // (to the rounding of the solution, which the report leaves out)
      #expect(residual <= tolerance + 1e-9, "\(system): \(residual), \(report)")
    }
  }

  /// A solution is of the scale of its right-hand side, however small that is.
  @Test func scaleOfTheRightHandSide() throws {
    for kind in IllConditionedSystem.Kind.allCases {
      let system = IllConditionedSystem(kind, n: 4, scale: 10, isDouble: true, seed: 47)
      let fisher = try system.make(Double.self)
      for route in Self.routes {
        let (expected, _) = try solve(system, damping: 0.1, route: route)
        var small = try Matrix<Double>.make(system.v.map { $0 * 0x1p-800 }, rows: system.m, columns: system.d)
        try fisher.solve(&small, damping: 0.1, route: route, memoryCap: defaultMemoryCap)
        #expect(Comparison.normwise(small.numbers.map { $0 * 0x1p800 }, expected, tolerance: 1e-14).isAllowed)
      }
    }
  }
}
