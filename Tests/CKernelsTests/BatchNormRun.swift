import CKernels
import FisherKitTestSupport
import Testing

/// A mini-batch with the memory that batch normalisation needs, and its kernels on it.
struct BatchNormRun<T: KernelPrecision> {
  let n: Int
  let m: Int
  let epsilon: Double
  let threads: Int32
  let x, w, dy, y, xhat, g: GuardedMatrix<T>
  /// One row each.
  let mean, variance, istd: GuardedMatrix<T>

  /// - Parameter offset: what channels are about, in their deviations.
  init(
    n: Int, m: Int, layout: GuardedMatrix<T>.Layout = .packed, offset: Double = 0, epsilon: Double = 1e-3,
    threads: Int32 = 1, seed: UInt64 = 81
  ) {
    var random = SplitMix64(seed: seed)
    (self.n, self.m, self.epsilon, self.threads) = (n, m, epsilon, threads)
    let centers = random.normal(m).map { offset * $0 }
    let numbers = random.normal(n * m)
    x = GuardedMatrix(numbers.indices.map { numbers[$0] + centers[$0 % m] }, rows: n, columns: m, layout: layout)
    w = GuardedMatrix(random.normal(2 * m), rows: m, columns: 2, layout: layout)
    dy = GuardedMatrix(random.normal(n * m), rows: n, columns: m, layout: layout)
    y = GuardedMatrix(rows: n, columns: m, layout: layout)
    xhat = GuardedMatrix(rows: n, columns: m, layout: layout)
    g = GuardedMatrix(rows: m, columns: 2, layout: layout)
    mean = GuardedMatrix(rows: 1, columns: m, layout: layout)
    variance = GuardedMatrix(rows: 1, columns: m, layout: layout)
    istd = GuardedMatrix(rows: 1, columns: m, layout: layout)
  }

  var place: String { "n \(n) m \(m) epsilon \(epsilon) threads \(threads)" }
  var all: [GuardedMatrix<T>] { [x, w, dy, y, xhat, g, mean, variance, istd] }

  func forward() {
    let status = T.kernels.batchNormForward(
      y.pointer, y.leadingDimension, xhat.pointer, xhat.leadingDimension, mean.pointer, variance.pointer, istd.pointer,
      x.pointer, x.leadingDimension, w.pointer, w.leadingDimension, n, m, epsilon, threads)
    expect(status, T.self, "forward \(place)")
    expectIntact(all, "forward \(place)")
  }

  /// dX into `dx`, by default over dY.
  func backward(into dx: GuardedMatrix<T>? = nil) {
    let dx = dx ?? dy
    let status = T.kernels.batchNormBackward(
      dx.pointer, dx.leadingDimension, g.pointer, g.leadingDimension, dy.pointer, dy.leadingDimension, xhat.pointer,
      xhat.leadingDimension, istd.pointer, w.pointer, w.leadingDimension, n, m, threads)
    expect(status, T.self, "backward \(place)")
    expectIntact(all + [dx], "backward \(place)")
  }

  /// By the statistics that are there, over Y.
  func evaluate() {
    let status = T.kernels.batchNormEvaluate(
      y.pointer, y.leadingDimension, x.pointer, x.leadingDimension, mean.pointer, variance.pointer, w.pointer,
      w.leadingDimension, n, m, epsilon, threads)
    expect(status, T.self, "evaluate \(place)")
    expectIntact(all, "evaluate \(place)")
  }
}
