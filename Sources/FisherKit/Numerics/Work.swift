/// What a piece of computing takes, by its formulas: operations by the kernels that do them, bytes of operands read once
/// and of results written once, and calls of kernels.
public struct Work: Equatable, Sendable {
  /// Flops of matrix products, of weighted Grams, of Cholesky factorisations, and of solves with their factors.
  public var products: Double
  public var grams: Double
  public var factors: Double
  public var solves: Double
  public var bytes: Double
  public var calls: Double

  public init(
    products: Double = 0, grams: Double = 0, factors: Double = 0, solves: Double = 0, bytes: Double = 0,
    calls: Double = 0
  ) {
    self.products = products
    self.grams = grams
    self.factors = factors
    self.solves = solves
    self.bytes = bytes
    self.calls = calls
  }

  public var flops: Double { products + grams + factors + solves }

  static func + (a: Work, b: Work) -> Work {
    Work(
      products: a.products + b.products, grams: a.grams + b.grams, factors: a.factors + b.factors,
      solves: a.solves + b.solves, bytes: a.bytes + b.bytes, calls: a.calls + b.calls)
  }

  static func * (a: Work, factor: Double) -> Work {
    Work(
      products: a.products * factor, grams: a.grams * factor, factors: a.factors * factor, solves: a.solves * factor,
      bytes: a.bytes * factor, calls: a.calls * factor)
  }
}
