import CKernels
import FisherKitTestSupport

/// What the products of the iteration multiply.
protocol Factors { static var isBfloat16: Bool { get } }
enum FullFactors: Factors { static var isBfloat16: Bool { false } }
enum Bfloat16Factors: Factors { static var isBfloat16: Bool { true } }

/// The orthogonal factor of one matrix, by five iterations, as many as Muon's. (In bfloat16 the peak is still that of floats.)
final class NewtonSchulz<T: BenchScalar, F: Factors>: KernelBench {
  static var kernel: String { F.isBfloat16 ? "newton_schulz, bfloat16" : "newton_schulz" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] {
    F.isBfloat16 && (fk_bfloat16_supported() == 0 || T.precision != .float)
      ? [] : [Shape(d: 784, m: 80), Shape(d: 80, m: 80), Shape(d: 512, m: 512)]
  }

  /// Muon's first, then ones that converge: they cost the same, and a sum in bfloat16 that falls on the other side of a
  /// rounding is not grown by them, as it is by Muon's, threefold each.
  private static var coefficients: [[Double]] {
    [
      [3.4445, -4.7750, 2.0315], [2, -1.5, 0.5], [1.875, -1.25, 0.375], [1.875, -1.25, 0.375], [1.875, -1.25, 0.375],
    ]
  }
  private static var iterations: Int { coefficients.count }
  private let (m, d): (Int, Int)
  private let threads: Int32
  private let start: Operand<T>
  private let g: Operand<T>
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    (m, d, self.threads) = (shape.m!, shape.d!, threads)
    var random = SplitMix64(seed: 18)
    start = Operand(random.normal(m * d))
    g = Operand(count: m * d)
    work = Scratch(T._kernels.newtonSchulzWorkSize([m], [d], 1, Self.iterations, F.isBfloat16 ? 1 : 0, threads))
  }

  var flops: Double {
    let (s, l, n) = (Double(min(m, d)), Double(max(m, d)), Double(Self.iterations))
    return F.isBfloat16 ? n * (3 * s * s * l + s * s * s) : 3 * s * s * l + (4 * n - 3) * s * s * s
  }
  var bytes: Double { 2 * g.byteCount }

  func reset() { g.copy(from: start) }

  func call() -> fk_status {
    let coefficients = Self.coefficients.flatMap { $0 }
    return T._kernels.newtonSchulz(
      [g.pointer], [d], [m], [d], 1, coefficients, Self.iterations, F.isBfloat16 ? 1 : 0, work.pointer,
      work.size, threads)
  }

  func check() -> [Comparison] {
    let expected = Reference.orthogonalFactor(
      start.numbers, rows: m, columns: d, coefficients: Self.coefficients,
      seen: F.isBfloat16 ? Reference.bfloat16 : { $0 })
    let tolerance = F.isBfloat16 ? 0.02 : T.precision == .float ? 2e-3 : 1e-10
    return [.normwise(g.numbers, expected, tolerance: tolerance)]
  }
}
