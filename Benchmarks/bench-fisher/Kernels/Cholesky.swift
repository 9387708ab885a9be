import CKernels
import FisherKitTestSupport

/// G_i + damping I = L_i L_i^T for all neurons of a layer.
final class CholeskyFactor<T: BenchScalar>: KernelBench {
  static var kernel: String { "cholesky_batch" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { DampedLayer<T>.shapes }
  static var sweeps: [Sweep] {
    [
      .d(doublings(from: 64, through: 512), m: 128), .m(doublings(from: 64, through: 1024), d: 129),
      .threads(Shape(d: 257, m: 256)),
    ]
  }

  private let layer: DampedLayer<T>

  init(_ shape: Shape, threads: Int32) { layer = DampedLayer(shape, threads: threads) }

  var flops: Double { Double(layer.m) * Double(layer.d * layer.d * layer.d) / 3 }
  var bytes: Double { 2 * layer.factors.bytes }
  func reset() { layer.reset() }
  func call() -> fk_status { layer.factorize() }
  func check() -> [Comparison] { layer.checkFactors() }
}

/// The rows L_i^-T L_i^-1 v_i, with factors that are there already: what every step of an optimizer does.
final class CholeskySolve<T: BenchScalar>: KernelBench {
  static var kernel: String { "cholesky_batch_solve" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { DampedLayer<T>.shapes }
  /// Reading the factors is all of the work, so every shape is too large for the caches: 34 to 537 MB.
  static var sweeps: [Sweep] {
    let m = 1024 / MemoryLayout<T>.stride
    return [
      .d(doublings(from: 256, through: 1024), m: m), .m(doublings(from: m, through: 8 * m), d: 257),
      .threads(Shape(d: 513, m: m)),
    ]
  }

  private let layer: DampedLayer<T>
  private let factored: fk_status

  init(_ shape: Shape, threads: Int32) {
    layer = DampedLayer(shape, threads: threads)
    factored = layer.factorize()
  }

  var flops: Double { 2 * Double(layer.m) * Double(layer.d * layer.d) }
  var bytes: Double { layer.factors.bytes + 2 * layer.gradient.byteCount }
  func call() -> fk_status { factored == FK_OK ? layer.solve() : factored }
  func check() -> [Comparison] { layer.checkSolutions() }
}

/// Both, one after the other: (G_i + damping I)^-1 v_i.
final class CholeskyFactorAndSolve<T: BenchScalar>: KernelBench {
  static var kernel: String { "cholesky_batch + solve" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { DampedLayer<T>.shapes }

  private let layer: DampedLayer<T>

  init(_ shape: Shape, threads: Int32) { layer = DampedLayer(shape, threads: threads) }

  var flops: Double { Double(layer.m) * (Double(layer.d * layer.d * layer.d) / 3 + 2 * Double(layer.d * layer.d)) }
  var bytes: Double { 2 * layer.factors.bytes + 2 * layer.gradient.byteCount }
  func reset() { layer.reset() }

  func call() -> fk_status {
    let status = layer.factorize()
    return status == FK_OK ? layer.solve() : status
  }

  func check() -> [Comparison] { layer.checkFactors() + layer.checkSolutions() }
}
