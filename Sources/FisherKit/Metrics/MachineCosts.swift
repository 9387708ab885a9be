import Foundation

/// How fast this machine computes what metrics are made of: the constants of the planner's cost model.
public struct MachineCosts: Codable, Equatable, Sendable {
  /// Flops a second of products, weighted Grams, Cholesky factorisations, and solves.
  public var products: Double
  public var grams: Double
  public var factors: Double
  public var solves: Double
  /// Bytes a second through the last cache.
  public var bandwidth: Double
  /// Seconds that a call of a kernel costs by itself.
  public var call: Double

  public init(
    products: Double, grams: Double, factors: Double, solves: Double, bandwidth: Double, call: Double
  ) {
    self.products = products
    self.grams = grams
    self.factors = factors
    self.solves = solves
    self.bandwidth = bandwidth
    self.call = call
  }

  /// Whether all of them are numbers to divide by.
  public var isValid: Bool {
    [products, grams, factors, solves, bandwidth].allSatisfy { $0 > 0 && $0.isFinite } && call >= 0 && call.isFinite
  }

  /// The seconds of some work: its arithmetic or its memory, whichever is slower, and its calls.
  public func seconds(_ work: Work) -> Double {
    let arithmetic =
      work.products / products + work.grams / grams + work.factors / factors + work.solves / solves
    return max(arithmetic, work.bytes / bandwidth) + work.calls * call
  }

  /// Measures them with the threads that are set, in a few milliseconds and 20 MB.
  public static func measure<S: KernelScalar>(_: S.Type) throws(FisherError) -> MachineCosts {
    let (n, d, r, m) = (256, 512, 64, 64)
    var generator = SeededGenerator(seed: 0, stream: .synthesis)
    var x = try Matrix<S>(rows: n, columns: d, what: "cost model")
    var u = try Matrix<S>(rows: r, columns: d, what: "cost model")
    var nu = try Matrix<S>(rows: n, columns: m, what: "cost model")
    for i in 0..<n { for j in 0..<d { x[i, j] = S(generator.uniform()) } }
    for i in 0..<r { for j in 0..<d { u[i, j] = S(generator.uniform()) } }
    for i in 0..<n { for j in 0..<m { nu[i, j] = S(generator.uniform()) } }
    var p = try Matrix<S>(rows: n, columns: r, what: "cost model")
    let product = best { p.setToProduct(x, .none, u, .transposed, inner: d, outputColumns: r) }
    var blocks = try BlockBatch<S>(count: m, order: r, what: "cost model")
    var factors = try BlockBatch<S>(count: m, order: r, what: "cost model")
    let workspace = try blocks.makeWorkspace(samples: n)
    let gram = best {
      blocks.accumulateGram(inputs: p, nu: nu, alpha: 1 / Double(n * d), beta: 0, workspace: workspace)
    }
    let copy = best { factors.copy(from: blocks) }
    var failure: FisherError?
    let factor = best {
      factors.copy(from: blocks)
      do throws(FisherError) {
        try factors.factor(damping: 1, parameter: "cost model", workspace: workspace)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    var v = try Matrix<S>(rows: m, columns: r, what: "cost model")
    let solve = best { factors.solve(&v, workspace: workspace) }
    var weights = try Matrix<S>(rows: 1024, columns: 1024, what: "cost model")
    let gradient = try Matrix<S>(rows: 1024, columns: 1024, what: "cost model")
    let update = best { weights.descend(gradient, rate: 0.1) }
    var small = try Matrix<S>(rows: 8, columns: 8, what: "cost model")
    let call = best { small.setToProduct(x, .none, u, .transposed, inner: 0, outputColumns: 8) }
    let (size, order, samples) = (Double(m), Double(r), Double(n))
    return MachineCosts(
      products: 2 * samples * Double(d) * order / product, grams: size * samples * order * (order + 1) / gram,
      factors: size * order * order * order / 3 / max(factor - copy, factor / 4),
      solves: 2 * size * order * order / solve, bandwidth: 3 * Double(weights.bytes) / update, call: max(call, 1e-7))
  }

  /// The least seconds of a few runs.
  private static func best(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    var least = Double.infinity
    for _ in 0..<6 { least = min(least, clock.measure(body) / .seconds(1)) }
    return max(least, 1e-9)
  }
}
