/// How a damped system with a relative Fisher matrix is solved. Whatever the route and the precision of the samples, the
/// work is done in double precision, from the samples themselves.
public enum SolveRoute: Equatable, Sendable {
  /// The cheapest that fits the memory cap; another where that one is not accurate.
  case automatic
  /// Cholesky factorisation: of the whole matrix, (md)³/3 flops and (md)² elements; of a block-diagonal one block by
  /// block, md³/3 flops.
  case dense
  /// Exact, through the square root of the samples' matrices (Woodbury): with nk factors in all, (nk)³/3 flops and
  /// (nk)² elements; of a block-diagonal one mn³/3 flops. Needs a positive damping.
  case lowRank
  /// Conjugate gradients preconditioned by the diagonal blocks: the matrix is never formed. Ends when ‖r‖ ≤ tolerance
  /// ‖v‖ for the residual r = v − (Ĝ + λI)x as it is, in twice the precision, and promises no more than that: the error is
  /// what the report's bound says. Of a block-diagonal matrix the blocks are all there is: it takes the dense route.
  case conjugateGradients(tolerance: Double, iterations: Int)
}

/// How a system was solved.
public struct SolveReport: Equatable, Sendable {
  /// The route taken; never `automatic`.
  public var route: SolveRoute
  /// Iterations of conjugate gradients, or steps of refinement; 0 where a direct solve needed none.
  public var iterations: Int
  /// ‖v − (Ĝ + λI)x‖/‖v‖, in twice the precision, before x is rounded to `Scalar`; of a block-diagonal matrix the
  /// largest of the neurons'.
  public var residual: Double?
  /// What ‖x − x*‖/‖x‖ is no larger than, x* being the solution, before x is rounded to `Scalar`; of a block-diagonal
  /// matrix the largest of the neurons'. `nil` where nothing is known: conjugate gradients without damping.
  public var errorBound: Double?

  public init(route: SolveRoute, iterations: Int, residual: Double? = nil, errorBound: Double? = nil) {
    self.route = route
    self.iterations = iterations
    self.residual = residual
    self.errorBound = errorBound
  }

  init(_ route: SolveRoute, _ found: (steps: Int, residual: Double, errorBound: Double)) {
    self.init(route: route, iterations: found.steps, residual: found.residual, errorBound: found.errorBound)
  }
}

extension RFIM {
  /// Takes the first of the routes that leads to a solution. What the first one failed by is what is thrown.
  func solve(
    _ vectors: inout Matrix<Double>, by routes: [SolveRoute],
    _ attempt: (SolveRoute, inout Matrix<Double>) throws(FisherError) -> SolveReport
  ) throws(FisherError) -> SolveReport {
    var first: FisherError?
    for route in routes {
      do {
        return try attempt(route, &vectors)
      } catch {
        first = first ?? error
      }
    }
    throw first ?? .invalidArgument(what: "route", expected: "one at least", found: "none")
  }

  /// Widens V, has it solved, and rounds the solution.
  func solveInDouble(
    _ vectors: inout Matrix<Scalar>, _ solve: (inout Matrix<Double>) throws(FisherError) -> SolveReport
  ) throws(FisherError) -> SolveReport {
    var solution = try vectors.inDouble(what: "solution")
    let report = try solve(&solution)
    var rounded = try Matrix<Scalar>(rows: vectors.rows, columns: vectors.columns, what: "solution")
    rounded.round(solution)
    guard rounded.isFinite else {
      throw .invalidArgument(
        what: "right-hand side", expected: "one whose solution a \(Scalar.self) can hold", found: "one too large")
    }
    vectors.copy(from: rounded)
    return report
  }
}

func requirePositive(_ damping: Double) throws(FisherError) {
  guard damping > 0 else {
    throw .invalidArgument(what: "damping", expected: "a positive number for a low-rank solve", found: "\(damping)")
  }
}
