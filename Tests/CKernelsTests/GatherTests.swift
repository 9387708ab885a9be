import CKernels
import FisherKitTestSupport
import Testing

@Suite struct GatherTests {
  @Test(arguments: Target.all) func rowsAreScaledAndGivenABias(target: Target) {
    target.run { rowsAreScaledAndGivenABias($0) }
  }

  func rowsAreScaledAndGivenABias<T: KernelPrecision>(_ type: T.Type) {
    for width in [0] + Sizes.all + [100] {
      for n in [0, 1, 5] { check(type, width: width, n: n, threads: 1) }
    }
    for threads in Sizes.threads { check(type, width: 300, n: 1801, scales: [0.5], threads: threads) }
  }

  func check<T: KernelPrecision>(
    _ type: T.Type, width: Int, n: Int, scales: [Double] = [1, 1.0 / 255, -2], threads: Int32
  ) {
    var random = SplitMix64(seed: 32)
    let stored = 7
    let bytes = (0..<stored * width).map { _ in UInt8.random(in: 0...255, using: &random) }
    let floats = Float.narrow(random.normal(stored * width))
    let rows = random.labels(n: n, m: stored)
    for scale in scales {
      let x = GuardedMatrix<T>(rows: n, columns: width + 1, layout: .strided)
      let place = "width \(width) n \(n) scale \(scale) threads \(threads)"

      expect(
        T.kernels.gatherBytes(x.pointer, x.leadingDimension, bytes, rows, n, width, scale, threads), type, place)
      expectIntact([x], "bytes \(place)")
      compare(x, bytes.map { Double($0) }, rows, scale, "bytes \(place)")

      expect(
        T.kernels.gatherFloats(x.pointer, x.leadingDimension, floats, rows, n, width, scale, threads), type, place)
      expectIntact([x], "floats \(place)")
      compare(x, Float.widen(floats), rows, scale, "floats \(place)")
    }
  }

  func compare<T: KernelPrecision>(
    _ x: GuardedMatrix<T>, _ source: [Double], _ rows: [Int32], _ scale: Double, _ place: String
  ) {
    let width = x.columns - 1
    var expected: [Double] = []
    for row in rows { expected += source[Int(row) * width..<(Int(row) + 1) * width].map { $0 * scale } + [1] }
    let comparison = Comparison.elementwise(
      x.elements, expected, tolerance: Tolerance.update.relative(T.precision))
    expect(comparison, T.self, place)
  }
}
