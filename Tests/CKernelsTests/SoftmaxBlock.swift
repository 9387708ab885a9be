import CKernels
import FisherKitTestSupport
import Testing

/// The relative Fisher matrix of a softmax layer (eq 10) for random samples and logits: dense, and as a product.
struct SoftmaxBlock<T: KernelPrecision> {
  let n: Int
  let d: Int
  let m: Int
  var alpha = 1.0
  var threads: Int32 = 1
  var layout = GuardedMatrix<T>.Layout.strided
  let x: GuardedMatrix<T>
  let eta: GuardedMatrix<T>

  var place: String { "n \(n) d \(d) m \(m) alpha \(alpha) threads \(threads) \(layout)" }

  init(
    n: Int, d: Int, m: Int, alpha: Double = 1, threads: Int32 = 1, layout: GuardedMatrix<T>.Layout = .strided,
    sharpness: Double = 1
  ) {
    (self.n, self.d, self.m, self.alpha, self.threads, self.layout) = (n, d, m, alpha, threads, layout)
    var random = SplitMix64(seed: 24)
    x = GuardedMatrix<T>(random.samples(n: n, d: d), rows: n, columns: d, layout: layout)
    let z = random.normal(n * m).map { sharpness * $0 }
    eta = GuardedMatrix<T>(Reference.softmax(z: z, n: n, m: m).eta, rows: n, columns: m, layout: layout)
  }

  /// With `onlyLower`, the lower triangle and its mirror image.
  func dense(onlyLower: Bool = false) -> [Double] {
    let g = GuardedMatrix<T>(rows: m * d, columns: m * d, layout: layout)
    let work = WorkSpace(T.kernels.softmaxBlockDenseWorkSize(n, d, m, threads))
    let kernel = onlyLower ? T.kernels.softmaxBlockLower : T.kernels.softmaxBlockDense
    let status = kernel(
      g.pointer, g.leadingDimension, x.pointer, x.leadingDimension, eta.pointer, eta.leadingDimension, n, d, m, alpha,
      work.pointer, work.size, threads)
    expect(status, T.self, "dense \(place)")
    expectIntact([g, x, eta], "dense \(place)")
    expect(work.isIntact, T.self, "dense \(place): written past the work space")
    var elements = g.elements
    guard onlyLower else { return elements }
    let order = m * d
    for i in 0..<order {
      for j in 0..<i { elements[j * order + i] = elements[i * order + j] }
    }
    return elements
  }

  func times(_ v: [Double]) -> [Double] {
    let vectors = GuardedMatrix<T>(v, rows: m, columns: d, layout: layout)
    let result = GuardedMatrix<T>(rows: m, columns: d, layout: layout)
    let work = WorkSpace(T.kernels.softmaxBlockMatvecWorkSize(n, m))
    let status = T.kernels.softmaxBlockMatvec(
      result.pointer, result.leadingDimension, x.pointer, x.leadingDimension, eta.pointer, eta.leadingDimension,
      vectors.pointer, vectors.leadingDimension, n, d, m, alpha, work.pointer, work.size, threads)
    expect(status, T.self, "matvec \(place)")
    expectIntact([vectors, result, x, eta], "matvec \(place)")
    expect(work.isIntact, T.self, "matvec \(place): written past the work space")
    return result.elements
  }

  var tolerance: Double { Tolerance.softmaxBlock.relative(T.precision, terms: max(n, m * d)) }

  /// The largest entry of |alpha| sum_s eta_i x_a^2: what rounding errors are relative to.
  var scale: Double {
    let x = x.elements
    return abs(alpha) * (0..<n).reduce(0) { $0 + x[$1 * d..<($1 + 1) * d].reduce(0) { max($0, $1 * $1) } }
  }
}
