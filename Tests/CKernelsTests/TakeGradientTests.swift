import CKernels
import FisherKitTestSupport
import Testing

/// What an optimizer takes of a gradient in one pass: against the kernels that do it in three.
@Suite struct TakeGradientTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 74)
    for d in RowDotsTests.widths {
      for (m, l2) in d < 1000 ? [(0, 0.125), (1, 0), (3, 0.125), (17, 0.125), (300, 0.5)] : [(1, 0.125), (17, 0.125)] {
        let g = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let w = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
        let c = GuardedMatrix<T>([Double](repeating: .nan, count: m * d), rows: m, columns: d, layout: .strided)
        let before = g.elements
        // (one more, which is to stay)
        var squares = [Double](repeating: -77, count: m + 1)
        let place = "m \(m) d \(d) l2 \(l2)"
        expect(take(type, &squares, c, g, w, l2: l2), type, place)
        expectIntact([c, g, w], place)
        expect(squares[m] == -77, type, "\(place): written beyond the rows")
        expect(
          Comparison.elementwise(
            Array(squares.prefix(m)), Reference.rowDots(a: before, b: before, m: m, d: d),
            tolerance: Tolerance.product.relative(T.precision, terms: d)), type, place)
        let expected = Reference.weightDecay(g: before, w: w.elements, m: m, d: d, l2: l2)
        let scales = zip(before, w.elements).map { abs($0) + l2 * abs($1) }
        expect(
          Comparison.elementwise(
            g.elements, expected, scales: scales, tolerance: Tolerance.update.relative(T.precision)), type, place)
        expect(c.elements == g.elements, type, "\(place): the copy differs")
        for i in 0..<m where d > 0 {
          expect(g.elements[i * d + d - 1] == before[i * d + d - 1], type, "\(place): bias \(i) decayed")
        }
      }
    }
  }

  /// A NaN or an infinity anywhere in the gradient makes its row's square no number, and no other row's; one in the weights
  /// does not.
  @Test(arguments: Target.all) func findsTheOneBadElement(target: Target) { target.run { findsTheOneBadElement($0) } }

  func findsTheOneBadElement<T: KernelPrecision>(_ type: T.Type) {
    for (m, d) in [(1, 1), (3, 5), (2, 33), (2, 259)] {
      for bad in [Double.nan, .infinity, -.infinity] {
        for place in 0..<m * d {
          for isGradient in [true, false] {
            var numbers = (0..<m * d).map { Double($0 % 3) - 1 }
            let good = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
            numbers[place] = bad
            let broken = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
            let c = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
            var squares = [Double](repeating: 0, count: m)
            _ = take(type, &squares, c, isGradient ? broken : good, isGradient ? good : broken, l2: 0.5)
            for i in 0..<m {
              expect(
                squares[i].isFinite == !(isGradient && i == place / d), type, "m \(m) d \(d): \(bad) at \(place)")
            }
          }
        }
      }
    }
  }

  private func take<T: KernelPrecision>(
    _ type: T.Type, _ squares: inout [Double], _ c: GuardedMatrix<T>, _ g: GuardedMatrix<T>, _ w: GuardedMatrix<T>,
    l2: Double
  ) -> fk_status {
    T.kernels.takeGradient(
      &squares, c.pointer, c.leadingDimension, g.pointer, g.leadingDimension, w.pointer, w.leadingDimension, g.rows,
      g.columns, l2)
  }
}
