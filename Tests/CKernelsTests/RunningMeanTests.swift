import CKernels
import FisherKitTestSupport
import Testing

/// Running means of gradients, what a step makes of them, and weights that shrink.
@Suite struct RunningMeanTests {
  private struct Shares { var keep, take, mean, rest: Double }
  /// An average, Nesterov's of it, and heavy balls of both kinds.
  private static let shares = [
    Shares(keep: 0.9, take: 0.1, mean: 1 / 0.19, rest: 0), Shares(keep: 0.9, take: 0.1, mean: 3.3, rest: 0.37),
    Shares(keep: 0.8, take: 1, mean: 0.8, rest: 1), Shares(keep: 0, take: 1, mean: 1, rest: 0),
  ]

  private func blended(_ m: [Double], _ g: [Double], _ s: Shares) -> (mean: [Double], step: [Double]) {
    let mean = zip(m, g).map { s.keep * $0 + s.take * $1 }
    return (mean, zip(mean, g).map { s.mean * $0 + s.rest * $1 })
  }

  private func scales(_ m: [Double], _ g: [Double], _ s: Shares) -> [Double] {
    zip(m, g).map { (s.mean + 1) * (s.keep * abs($0) + s.take * abs($1)) + s.rest * abs($1) }
  }

  @Test(arguments: Target.all) func blend(target: Target) { target.run { blend($0) } }

  func blend<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 81)
    for count in [0, 1, 7, 16, 33, 4095, 4097, 70_000] {
      for shares in Self.shares {
        let m = GuardedMatrix<T>(random.normal(count), rows: 1, columns: count, layout: .strided)
        let g = GuardedMatrix<T>(random.normal(count), rows: 1, columns: count, layout: .strided)
        let (mean, gradient) = (m.elements, g.elements)
        let expected = blended(mean, gradient, shares)
        let status = T.kernels.updateBlend(
          m.pointer, g.pointer, count, shares.keep, shares.take, shares.mean, shares.rest)
        expect(status, type, "count \(count)")
        expectIntact([m, g], "count \(count)")
        let scales = scales(mean, gradient, shares)
        let tolerance = Tolerance.update.relative(T.precision)
        expect(
          Comparison.elementwise(m.elements, expected.mean, scales: scales, tolerance: tolerance), type, "mean \(count)"
        )
        expect(
          Comparison.elementwise(g.elements, expected.step, scales: scales, tolerance: tolerance), type, "step \(count)"
        )
      }
    }
  }

  @Test(arguments: Target.all) func scheduleFree(target: Target) { target.run { scheduleFree($0) } }

  func scheduleFree<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 83)
    for count in [0, 1, 7, 16, 33, 4095, 4097, 70_000] {
      for (beta, share) in [(0.9, 0.125), (0, 1), (0.5, 0), (0.97, 1)] {
        let vectors = (0..<3).map { _ in
          GuardedMatrix<T>(random.normal(count), rows: 1, columns: count, layout: .strided)
        }
        let before = vectors.map(\.elements)
        var (w, z, x) = (before[0], before[1], before[2])
        for i in 0..<count {
          z[i] = w[i] + beta * (z[i] - x[i])
          x[i] = (1 - share) * x[i] + share * z[i]
          w[i] = (1 - beta) * z[i] + beta * x[i]
        }
        let place = "count \(count) beta \(beta) share \(share)"
        expect(
          T.kernels.updateScheduleFree(
            vectors[0].pointer, vectors[1].pointer, vectors[2].pointer, count, beta, share), type, place)
        expectIntact(vectors, place)
        let scales = (0..<count).map { i in before.reduce(0) { $0 + 2 * abs($1[i]) } }
        for (found, expected) in zip(vectors, [w, z, x]) {
          expect(
            Comparison.elementwise(
              found.elements, expected, scales: scales, tolerance: Tolerance.update.relative(T.precision)), type, place)
        }
        // (weights that no step moved are the same ones, to the last digit)
        let same = (0..<3).map { _ in GuardedMatrix<T>(before[0], rows: 1, columns: count, layout: .strided) }
        expect(
          T.kernels.updateScheduleFree(same[0].pointer, same[1].pointer, same[2].pointer, count, beta, share), type,
          place)
        for vector in same { expect(vector.elements == before[0], type, "\(place): weights at rest moved") }
      }
    }
  }

  /// In one pass what take_gradient and blend do in two.
  @Test(arguments: Target.all) func takeAverage(target: Target) { target.run { takeAverage($0) } }

  func takeAverage<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 82)
    for d in RowDotsTests.widths {
      for (m, l2) in d < 40 ? [(0, 0.125), (1, 0), (3, 0.125), (17, 0.125)] : [(d == 1000 ? 70 : 4, 0.125)] {
        for shares in Self.shares.prefix(d < 20 ? 4 : 2) {
          let (g, w, mean) = (
            GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided),
            GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided),
            GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
          )
          let c = GuardedMatrix<T>([Double](repeating: .nan, count: m * d), rows: m, columns: d, layout: .strided)
          let (before, means) = (g.elements, mean.elements)
          var squares = [Double](repeating: -77, count: m + 1)
          let place = "m \(m) d \(d) l2 \(l2)"
          let status = T.kernels.takeAverage(
            &squares, c.pointer, c.leadingDimension, g.pointer, g.leadingDimension, w.pointer, w.leadingDimension,
            mean.pointer, mean.leadingDimension, m, d, l2, shares.keep, shares.take, shares.mean, shares.rest)
          expect(status, type, place)
          expectIntact([c, g, w, mean], place)
          expect(squares[m] == -77, type, "\(place): written beyond the rows")
          expect(
            Comparison.elementwise(
              Array(squares.prefix(m)), Reference.rowDots(a: before, b: before, m: m, d: d),
              tolerance: Tolerance.product.relative(T.precision, terms: d)), type, place)
          let decayed = Reference.weightDecay(g: before, w: w.elements, m: m, d: d, l2: l2)
          let expected = blended(means, decayed, shares)
          let sizes = zip(before, w.elements).map { abs($0) + l2 * abs($1) }
          let scales = self.scales(means, sizes, shares)
          let tolerance = Tolerance.update.relative(T.precision)
          expect(
            Comparison.elementwise(mean.elements, expected.mean, scales: scales, tolerance: tolerance), type, place)
          expect(Comparison.elementwise(g.elements, expected.step, scales: scales, tolerance: tolerance), type, place)
          expect(c.elements == g.elements, type, "\(place): the copy differs")
        }
      }
    }
  }

  /// A NaN or an infinity in a gradient makes its row's square no number, and no other row's.
  @Test(arguments: Target.all) func findsTheOneBadElement(target: Target) { target.run { findsTheOneBadElement($0) } }

  func findsTheOneBadElement<T: KernelPrecision>(_ type: T.Type) {
    for (m, d) in [(1, 1), (3, 5), (2, 33), (2, 259)] {
      for bad in [Double.nan, .infinity] {
        for place in 0..<m * d {
          var numbers = (0..<m * d).map { Double($0 % 3) - 1 }
          let good = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
          let mean = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
          let c = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
          numbers[place] = bad
          let broken = GuardedMatrix<T>(numbers, rows: m, columns: d, layout: .strided)
          var squares = [Double](repeating: 0, count: m)
          _ = T.kernels.takeAverage(
            &squares, c.pointer, c.leadingDimension, broken.pointer, broken.leadingDimension, good.pointer,
            good.leadingDimension, mean.pointer, mean.leadingDimension, m, d, 0.5, 0.9, 0.1, 1, 0)
          for i in 0..<m { expect(squares[i].isFinite == (i != place / d), type, "m \(m) d \(d): \(bad) at \(place)") }
        }
      }
    }
  }

  @Test(arguments: Target.all) func weightsShrink(target: Target) { target.run { weightsShrink($0) } }

  func weightsShrink<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 83)
    for (m, d) in [(0, 3), (3, 0), (1, 1), (1, 2), (5, 16), (5, 17), (300, 301)] {
      let w = GuardedMatrix<T>(random.normal(m * d), rows: m, columns: d, layout: .strided)
      let before = w.elements
      expect(T.kernels.scaleWeights(w.pointer, w.leadingDimension, m, d, 0.75), type, "m \(m) d \(d)")
      expectIntact([w], "m \(m) d \(d)")
      let after = w.elements
      for k in before.indices {
        let isBias = k % d == d - 1
        expect(
          abs(after[k] - (isBias ? 1 : 0.75) * before[k]) <= abs(before[k]) * 1e-6, type, "m \(m) d \(d): \(k)")
        if isBias { expect(after[k] == before[k], type, "bias \(k)") }
      }
    }
  }
}

extension ArgumentTests {
  @Test(arguments: Target.all) func runningMeansRefuse(target: Target) { target.run { runningMeansRefuse($0) } }

  func runningMeansRefuse<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    var squares = [-1.0, -1, -1, -1]
    func take(
      m: Int = 2, d: Int = 2, ld: [Int] = [4, 4, 4, 4], missing: Int? = nil, squares: UnsafeMutablePointer<Double>?
    ) -> fk_status {
      T.kernels.takeAverage(
        squares, missing == 0 ? nil : p, ld[0], missing == 1 ? nil : p, ld[1], missing == 2 ? nil : p, ld[2],
        missing == 3 ? nil : p, ld[3], m, d, 1, 1, 1, 1, 1)
    }
    var calls: [Call] = [
      ("blend: m NULL", FK_INVALID_ARGUMENT, T.kernels.updateBlend(nil, p, 1, 1, 1, 1, 1)),
      ("blend: g NULL", FK_INVALID_ARGUMENT, T.kernels.updateBlend(p, nil, 1, 1, 1, 1, 1)),
      ("blend: count negative", FK_INVALID_ARGUMENT, T.kernels.updateBlend(p, p, -1, 1, 1, 1, 1)),
      ("blend: count too large", FK_SIZE_OVERFLOW, T.kernels.updateBlend(p, p, .max, 1, 1, 1, 1)),
      ("schedule-free: w NULL", FK_INVALID_ARGUMENT, T.kernels.updateScheduleFree(nil, p, p, 1, 1, 1)),
      ("schedule-free: z NULL", FK_INVALID_ARGUMENT, T.kernels.updateScheduleFree(p, nil, p, 1, 1, 1)),
      ("schedule-free: x NULL", FK_INVALID_ARGUMENT, T.kernels.updateScheduleFree(p, p, nil, 1, 1, 1)),
      ("schedule-free: count negative", FK_INVALID_ARGUMENT, T.kernels.updateScheduleFree(p, p, p, -1, 1, 1)),
      ("schedule-free: count too large", FK_SIZE_OVERFLOW, T.kernels.updateScheduleFree(p, p, p, .max, 1, 1)),
      ("scale: W NULL", FK_INVALID_ARGUMENT, T.kernels.scaleWeights(nil, 4, 2, 2, 1)),
      ("scale: m negative", FK_INVALID_ARGUMENT, T.kernels.scaleWeights(p, 4, -1, 2, 1)),
      ("scale: ldw below d", FK_INVALID_ARGUMENT, T.kernels.scaleWeights(p, 1, 2, 2, 1)),
      ("scale: too many rows", FK_SIZE_OVERFLOW, T.kernels.scaleWeights(p, 4, .max, 2, 1)),
      ("average: squares NULL", FK_INVALID_ARGUMENT, take(squares: nil)),
      ("average: m negative", FK_INVALID_ARGUMENT, take(m: -1, squares: &squares)),
      ("average: d negative", FK_INVALID_ARGUMENT, take(d: -1, squares: &squares)),
      ("average: too many rows", FK_SIZE_OVERFLOW, take(m: .max, squares: &squares)),
    ]
    for index in 0..<4 {
      var ld = [4, 4, 4, 4]
      ld[index] = 1
      calls.append(("average: leading dimension \(index)", FK_INVALID_ARGUMENT, take(ld: ld, squares: &squares)))
      calls.append(("average: argument \(index) NULL", FK_INVALID_ARGUMENT, take(missing: index, squares: &squares)))
    }
    expectRefused(type, calls)
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }
}
