import CKernels
import FisherKitTestSupport
import Testing

/// Pooling, forward and backward, against the reference.
@Suite struct PoolingTests {
  static let windows: [(Reference.Window, channels: Int)] = [
    (.init(4, 6, kernel: (2, 2), stride: (2, 2)), 16), (.init(5, 7, kernel: (2, 3), stride: (2, 2)), 5),
    (.init(6, 6, kernel: (3, 3), stride: (2, 2), padding: (1, 1)), 33), (.init(3, 4, kernel: (3, 4)), 7),
    (.init(7, 7, kernel: (2, 2), padding: (2, 1), dilation: (3, 2)), 3),
    (.init(1, 9, kernel: (1, 3), stride: (1, 2)), 1),
  ]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 111)
    for (window, channels) in Self.windows {
      for threads in [1, 3] as [Int32] {
        let (n, place) = (3, "\(window), \(channels) channels on \(threads)")
        let x = GuardedMatrix<T>(
          random.normal(n * window.area * channels), rows: n * window.area, columns: channels, layout: .strided)
        let dy = GuardedMatrix<T>(
          random.normal(n * window.positions * channels), rows: n * window.positions, columns: channels,
          layout: .strided)
        let y = GuardedMatrix<T>(rows: n * window.positions, columns: channels, layout: .strided)
        let dx = GuardedMatrix<T>(rows: n * window.area, columns: channels, layout: .strided)
        var (raw, taps) = (window.raw, [Int32](repeating: -1, count: n * window.positions * channels + 1))
        expect(
          T.kernels.maxPool(
            y.pointer, y.leadingDimension, &taps, x.pointer, x.leadingDimension, n, channels, &raw, threads), type,
          place)
        let largest = Reference.maxPool(x: x.elements, window, n: n, channels: channels)
        expect(y.elements == largest.y, type, "largest of \(place)")
        expect(taps == largest.taps + [-1], type, "places of \(place)")
        expect(
          T.kernels.maxPoolBackward(
            dx.pointer, dx.leadingDimension, dy.pointer, dy.leadingDimension, taps, n, channels, &raw, threads), type,
          place)
        let back = Reference.poolBackward(dy: dy.elements, window, n: n, channels: channels) {
          Int32($1) == largest.taps[$0] ? 1 : 0
        }
        let tolerance = Tolerance.product.relative(T.precision, terms: window.taps)
        expect(Comparison.normwise(dx.elements, back, tolerance: tolerance), type, "largest back, \(place)")
        expect(
          T.kernels.averagePool(
            y.pointer, y.leadingDimension, x.pointer, x.leadingDimension, n, channels, &raw, threads), type, place)
        let mean = Reference.averagePool(x: x.elements, window, n: n, channels: channels)
        expect(Comparison.normwise(y.elements, mean, tolerance: tolerance), type, "mean of \(place)")
        expect(
          T.kernels.averagePoolBackward(
            dx.pointer, dx.leadingDimension, dy.pointer, dy.leadingDimension, n, channels, &raw, threads), type, place)
        let share = 1 / Double(window.taps)
        let shared = Reference.poolBackward(dy: dy.elements, window, n: n, channels: channels) { _, _ in share }
        expect(Comparison.normwise(dx.elements, shared, tolerance: tolerance), type, "mean back, \(place)")
        expectIntact([x, dy, y, dx], place)
      }
    }
  }

  /// A NaN is seen, and equal numbers are the first one's.
  @Test(arguments: Target.all) func edges(target: Target) { target.run { edges($0) } }

  func edges<T: KernelPrecision>(_ type: T.Type) {
    var raw = Reference.Window(2, 2, kernel: (2, 2)).raw
    for (numbers, expected, tap) in [
      ([1, 1, 1, 1], 1, 0), ([-Double.infinity, -3, -.infinity, -4], -3, 1), ([1, .nan, 3, .infinity], .nan, 1),
      ([.nan, 2, 3, 4], .nan, 0), ([-0.0, 0, -1, 0], -0.0, 0),
    ] as [([Double], Double, Int32)] {
      let x = GuardedMatrix<T>(numbers, rows: 4, columns: 1)
      let y = GuardedMatrix<T>(rows: 1, columns: 1)
      var taps = [Int32(-1)]
      expect(T.kernels.maxPool(y.pointer, 1, &taps, x.pointer, 1, 1, 1, &raw, 1), type, "\(numbers)")
      let found = y.elements[0]
      expect(found == expected || (found.isNaN && expected.isNaN), type, "\(numbers): \(found)")
      expect(taps == [tap], type, "\(numbers): \(taps)")
    }
  }
}
