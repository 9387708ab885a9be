import CKernels
import FisherKitTestSupport
import Testing

/// Layer, RMS and group normalisation against the reference.
@Suite struct GroupNormTests {
  static let shapes: [(n: Int, positions: Int, m: Int, groups: Int)] = [
    (1, 1, 1, 1), (5, 1, 7, 1), (3, 1, 64, 1), (2, 4, 6, 2), (3, 9, 33, 3), (40, 1, 130, 1), (2, 16, 16, 16),
  ]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 121)
    for (n, positions, m, groups) in Self.shapes {
      for (isCentred, offset, threads) in [(true, 0.0, Int32(1)), (true, 50, 3), (false, 0, 2)] {
        let (rows, columns) = (n * positions, isCentred ? 2 : 1)
        let place = "n \(n) positions \(positions) m \(m) groups \(groups) centred \(isCentred) offset \(offset)"
        let x = GuardedMatrix<T>(random.normal(rows * m).map { $0 + offset }, rows: rows, columns: m, layout: .strided)
        let w = GuardedMatrix<T>(
          random.normal(m * columns), rows: m, columns: columns, layout: threads == 1 ? .packed : .strided)
        let dy = GuardedMatrix<T>(random.normal(rows * m), rows: rows, columns: m, layout: .strided)
        let y = GuardedMatrix<T>(rows: rows, columns: m, layout: .strided)
        let xhat = GuardedMatrix<T>(rows: rows, columns: m, layout: .strided)
        let dx = GuardedMatrix<T>(rows: rows, columns: m, layout: .strided)
        let g = GuardedMatrix<T>(rows: m, columns: columns, layout: .strided)
        let istd = GuardedMatrix<T>(rows: n, columns: groups)
        let centred: Int32 = isCentred ? 1 : 0
        expect(
          T.kernels.groupNormForward(
            y.pointer, y.leadingDimension, xhat.pointer, xhat.leadingDimension, istd.pointer, x.pointer,
            x.leadingDimension, w.pointer, w.leadingDimension, n, positions, m, groups, centred, 1e-3, threads), type,
          place)
        let expected = Reference.groupNorm(
          x: x.elements, w: w.elements, n: n, positions: positions, m: m, groups: groups, isCentred: isCentred,
          epsilon: 1e-3)
        // (what is far from 0 has lost as many of its own digits)
        let tolerance = Tolerance.batchNorm.relative(T.precision, terms: positions * m / groups) * (1 + offset)
        expect(Comparison.normwise(istd.elements, expected.istd, tolerance: tolerance), type, "istd, \(place)")
        expect(Comparison.normwise(xhat.elements, expected.xhat, tolerance: tolerance), type, "xhat, \(place)")
        expect(Comparison.normwise(y.elements, expected.y, tolerance: tolerance), type, "Y, \(place)")
        expect(
          T.kernels.groupNormBackward(
            dx.pointer, dx.leadingDimension, dy.pointer, dy.leadingDimension, xhat.pointer, xhat.leadingDimension,
            istd.pointer, w.pointer, w.leadingDimension, n, positions, m, groups, centred, threads), type, place)
        let back = Reference.groupNormBackward(
          dy: dy.elements, xhat: xhat.elements, istd: istd.elements, w: w.elements, n: n, positions: positions, m: m,
          groups: groups, isCentred: isCentred)
        let scale = istd.elements.map(abs).max()!
        expect(Comparison.normwise(dx.elements, back, scale: scale, tolerance: tolerance), type, "dX, \(place)")
        expect(
          T.kernels.scaleGradient(
            g.pointer, g.leadingDimension, columns, dy.pointer, dy.leadingDimension, xhat.pointer,
            xhat.leadingDimension,
            rows, m, threads), type, place)
        let (d, h) = (dy.elements, xhat.elements)
        let sums = (0..<m).flatMap { i -> [Double] in
          let places = (0..<rows).map { $0 * m + i }
          return [places.reduce(0) { $0 + d[$1] * h[$1] }] + (isCentred ? [places.reduce(0) { $0 + d[$1] }] : [])
        }
        expect(
          Comparison.normwise(
            g.elements, sums, scale: 1, tolerance: Tolerance.batchNorm.relative(T.precision, terms: rows)),
          type, "G, \(place)")
        expectIntact([x, w, dy, y, xhat, dx, g, istd], place)
      }
    }
  }
}
