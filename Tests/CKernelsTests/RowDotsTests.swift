import CKernels
import FisherKitTestSupport
import Testing

/// Inner products of rows: a step's gᵀδ, and whether it is a number.
@Suite struct RowDotsTests {
  /// Around the vector width, and around the 256 elements that are summed in T.
  static let widths = [0] + Sizes.all + [255, 256, 257, 511, 512, 513, 1000, 4097]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 51)
    for d in Self.widths {
      for m in d < 1000 ? [0, 1, 3, 17, 300] : [1, 17] {
        let a = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let b = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let dots = rowDots(type, a, b)
        let (x, y) = (a.elements, b.elements)
        let expected = Reference.rowDots(a: x, b: y, m: m, d: d)
        // (of the operands' magnitudes: terms cancel)
        let scales = Reference.rowDots(a: x.map { abs($0) }, b: y.map { abs($0) }, m: m, d: d)
        expect(
          Comparison.elementwise(
            dots, expected, scales: scales, tolerance: Tolerance.update.relative(T.precision)), type, "m \(m) d \(d)")
      }
    }
  }

  /// Sums of many terms of one sign are taken in double beyond 256 of them: a float's error does not grow with them.
  @Test(arguments: Target.all) func longSums(target: Target) { target.run { longSums($0) } }

  func longSums<T: KernelPrecision>(_ type: T.Type) {
    let d = 1 << 18
    let ones = GuardedMatrix<T>([Double](repeating: 0.1, count: d), rows: 1, columns: d)
    let exact = T.precision.round(0.1) * T.precision.round(0.1) * Double(d)
    let error = abs(rowDots(type, ones, ones)[0] / exact - 1)
    // (and that of 1024 additions in double)
    expect(error < 8 * T.precision.unitRoundoff + 1024 * 0x1p-53, type, "error \(error)")
  }

  /// A NaN or an infinity anywhere, in either, also against zeros, makes its row no number, and no other row.
  @Test(arguments: Target.all) func findsTheOneBadElement(target: Target) { target.run { findsTheOneBadElement($0) } }

  func findsTheOneBadElement<T: KernelPrecision>(_ type: T.Type) {
    for (m, d) in [(1, 1), (3, 5), (2, 33), (2, 259)] {
      for bad in [Double.nan, .infinity, -.infinity, .signalingNaN] {
        for place in 0..<m * d {
          for (isFirst, other) in [(true, 0.0), (false, 0), (true, 1)] {
            var x = (0..<m * d).map { Double($0 % 3) - 1 }
            x[place] = bad
            let a = GuardedMatrix<T>(x, rows: m, columns: d, layout: .strided)
            let b = GuardedMatrix<T>([Double](repeating: other, count: m * d), rows: m, columns: d, layout: .strided)
            let dots = isFirst ? rowDots(type, a, b) : rowDots(type, b, a)
            for i in 0..<m {
              expect(dots[i].isFinite == (i != place / d), type, "m \(m) d \(d): \(bad) at \(place) against \(other)")
            }
          }
        }
      }
    }
  }

  private func rowDots<T: KernelPrecision>(_ type: T.Type, _ a: GuardedMatrix<T>, _ b: GuardedMatrix<T>) -> [Double] {
    let (m, d) = (a.rows, a.columns)
    // (one more, which is to stay)
    var dots = [Double](repeating: -77, count: m + 1)
    expect(
      T.kernels.rowDots(&dots, a.pointer, a.leadingDimension, b.pointer, b.leadingDimension, m, d), type,
      "m \(m) d \(d)")
    expectIntact([a, b], "m \(m) d \(d)")
    expect(dots[m] == -77, type, "m \(m) d \(d): written beyond the rows")
    return Array(dots.prefix(m))
  }
}
