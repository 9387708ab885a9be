import CKernels
import FisherKitTestSupport
import Testing

@Suite struct BatchNormTests {
  static let shapes =
    Sizes.all.flatMap { m in [1, 2, 3, 17].map { (n: $0, m: m) } } + [(128, 5), (129, 80), (1000, 18)]

  @Test(arguments: Target.all) func forwardMatchesReference(target: Target) {
    target.run { forwardMatchesReference($0) }
  }

  func forwardMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in Self.shapes {
      for layout in GuardedMatrix<T>.Layout.allCases { checkForward(BatchNormRun<T>(n: n, m: m, layout: layout)) }
    }
    for threads in Sizes.threads { checkForward(BatchNormRun<T>(n: 700, m: 75, threads: threads)) }
    checkForward(BatchNormRun<T>(n: 50, m: 21, epsilon: 0))
  }

  /// 10,000 rows, about 0 or far from it, round no worse than a few.
  @Test(arguments: Target.all) func manyRowsStayAccurate(target: Target) { target.run { manyRowsStayAccurate($0) } }

  func manyRowsStayAccurate<T: KernelPrecision>(_ type: T.Type) {
    for offset in [0, 100.0] { checkForward(BatchNormRun<T>(n: 10_000, m: 7, offset: offset)) }
  }

  func checkForward<T: KernelPrecision>(_ run: BatchNormRun<T>) {
    run.forward()
    let (n, m, x, w) = (run.n, run.m, run.x.elements, run.w.elements)
    let expected = Reference.batchNorm(x: x, w: w, n: n, m: m, epsilon: T.precision.round(run.epsilon))
    let tolerance = Tolerance.batchNorm.relative(T.precision)
    let largest = (0..<m).map { i in (0..<n).reduce(0) { max($0, abs(x[$1 * m + i])) } }
    /// All is taken of differences from the first row, and rounds like these, however far from 0 the channel is.
    let widest = (0..<m).map { i in (0..<n).reduce(0) { max($0, abs(x[$1 * m + i] - x[i])) } }
    func check(_ name: String, _ actual: GuardedMatrix<T>, _ expected: [Double], _ scales: [Double]) {
      let comparison = Comparison.elementwise(actual.elements, expected, scales: scales, tolerance: tolerance)
      expect(comparison, T.self, "\(name) \(run.place)")
    }
    check("mean", run.mean, expected.mean, largest)
    // Where values are close together, what rounding takes from their mean is large beside their differences.
    let rounded = widest.map { T.precision.unitRoundoff * $0 * $0 }
    check("variance", run.variance, expected.variance, zip(expected.variance, rounded).map { $0 + $1 })
    check("istd", run.istd, expected.istd, zip(expected.istd, rounded).map { $0 * (1 + $1 * $0 * $0) })
    let scales = x.indices.map { abs(expected.xhat[$0]) + widest[$0 % m] * expected.istd[$0 % m] }
    check("xhat", run.xhat, expected.xhat, scales)
    check("Y", run.y, expected.y, x.indices.map { abs(w[2 * ($0 % m)]) * scales[$0] + abs(w[2 * ($0 % m) + 1]) })
  }

  /// A channel that is constant has variance 0 and comes out as beta, to the last bit; so does a single sample.
  @Test(arguments: Target.all) func constantChannels(target: Target) { target.run { constantChannels($0) } }

  func constantChannels<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in [(1, 19), (300, 19)] {
      let run = BatchNormRun<T>(n: n, m: m)
      let row = Array(run.x.elements[..<m])
      run.x.assign((0..<n).flatMap { _ in row })
      run.forward()
      expect(run.mean.elements == row, type, "mean, n \(n)")
      expect(run.variance.elements.allSatisfy { $0 == 0 }, type, "variance, n \(n)")
      expect(run.xhat.elements.allSatisfy { $0 == 0 }, type, "xhat, n \(n)")
      let betas = (0..<m).map { run.w.elements[2 * $0 + 1] }
      expect(run.y.elements == (0..<n).flatMap { _ in betas }, type, "Y, n \(n)")
    }
  }

  @Test(arguments: Target.all) func backwardMatchesReference(target: Target) {
    target.run { backwardMatchesReference($0) }
  }

  func backwardMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in Self.shapes + [(10_000, 3)] {
      for layout in GuardedMatrix<T>.Layout.allCases {
        let run = BatchNormRun<T>(n: n, m: m, layout: layout)
        run.forward()
        let (dy, xhat, istd, w) = (run.dy.elements, run.xhat.elements, run.istd.elements, run.w.elements)
        let expected = Reference.batchNormBackward(dy: dy, xhat: xhat, istd: istd, w: w, n: n, m: m)
        let dx = GuardedMatrix<T>(rows: n, columns: m, layout: layout)
        run.backward(into: dx)
        let tolerance = Tolerance.batchNorm.relative(T.precision)
        // Relative to the magnitudes that are summed.
        var sums = [Double](repeating: 0, count: 2 * m)
        for k in dy.indices {
          sums[2 * (k % m)] += abs(dy[k] * xhat[k])
          sums[2 * (k % m) + 1] += abs(dy[k])
        }
        let scales = dy.indices.map { k in
          let i = k % m
          return abs(w[2 * i] * istd[i])
            * (abs(dy[k]) + sums[2 * i + 1] / Double(n) + abs(xhat[k]) * sums[2 * i] / Double(n))
        }
        expect(
          .elementwise(run.g.elements, expected.g, scales: sums, floor: 1e-300, tolerance: tolerance), type,
          "G \(run.place)")
        expect(.elementwise(dx.elements, expected.dx, scales: scales, tolerance: tolerance), type, "dX \(run.place)")
        run.backward()
        expectIdentical(run.dy.elements, dx.elements, type, "in place \(run.place)")
      }
    }
  }

  @Test(arguments: Target.all) func evaluationMatchesReference(target: Target) {
    target.run { evaluationMatchesReference($0) }
  }

  func evaluationMatchesReference<T: KernelPrecision>(_ type: T.Type) {
    for (n, m) in [(0, 5)] + Self.shapes {
      for layout in GuardedMatrix<T>.Layout.allCases {
        let run = BatchNormRun<T>(n: n, m: m, layout: layout)
        var random = SplitMix64(seed: 82)
        run.mean.assign(random.normal(m))
        run.variance.assign(random.uniform(m, in: 0...2))
        let (x, w, mean) = (run.x.elements, run.w.elements, run.mean.elements)
        let variance = run.variance.elements
        let epsilon = T.precision.round(run.epsilon)
        let expected = Reference.batchNormEvaluate(
          x: x, mean: mean, variance: variance, w: w, n: n, m: m, epsilon: epsilon)
        run.evaluate()
        let scales = x.indices.map { k in
          let i = k % m
          return abs(w[2 * i]) * (abs(x[k]) + abs(mean[i])) / (variance[i] + epsilon).squareRoot() + abs(w[2 * i + 1])
        }
        expect(
          .elementwise(run.y.elements, expected, scales: scales, tolerance: Tolerance.batchNorm.relative(T.precision)),
          type, "Y \(run.place)")
      }
    }
  }

  /// Two neighbouring numbers, far from 0, have their mean between them: rounded, it would be one of them.
  @Test(arguments: Target.all) func neighbours(target: Target) { target.run { neighbours($0) } }

  func neighbours<T: KernelPrecision>(_ type: T.Type) {
    let run = BatchNormRun<T>(n: 2, m: 1, epsilon: 1e-30)
    let base = 1 / T.precision.unitRoundoff
    run.x.assign([base, base + 2])
    run.forward()
    expect(run.variance.elements == [1] && run.xhat.elements == [-1, 1], type, "\(run.xhat.elements)")
  }

  /// A variance that overflows is NaN in what comes out, not a channel of betas; its neighbours are as they were.
  @Test(arguments: Target.all) func overflow(target: Target) { target.run { overflow($0) } }

  func overflow<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (4, 18)
    let run = BatchNormRun<T>(n: n, m: m)
    run.forward()
    let (before, big) = (run.y.elements, T.self == Float.self ? 1e20 : 1e160)
    var x = run.x.elements
    for s in 0..<n { x[s * m + 5] = s % 2 == 0 ? big : -big }
    run.x.assign(x)
    for pass in ["training", "evaluation"] {
      if pass == "training" { run.forward() } else { run.evaluate() }
      for k in before.indices {
        let isRight = k % m == 5 ? run.y.elements[k].isNaN : pass == "evaluation" || run.y.elements[k] == before[k]
        expect(isRight, type, "\(pass), element \(k): \(run.y.elements[k])")
      }
    }
    // without epsilon a constant channel is 0/0
    let constant = BatchNormRun<T>(n: 1, m: 1, epsilon: 0)
    constant.forward()
    expect(constant.y.elements.allSatisfy(\.isNaN), type, "a constant channel, epsilon 0")
  }

  /// A NaN spoils its channel in training and itself in evaluation.
  @Test(arguments: Target.all) func notANumberStaysInItsChannel(target: Target) {
    target.run { notANumberStaysInItsChannel($0) }
  }

  func notANumberStaysInItsChannel<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (5, 18)
    for channel in [0, 7, 17] {
      let run = BatchNormRun<T>(n: n, m: m)
      run.forward()
      var x = run.x.elements
      x[2 * m + channel] = .nan
      run.x.assign(x)
      run.evaluate()
      expect(run.y.elements.map(\.isNaN) == x.map(\.isNaN), type, "evaluation, channel \(channel)")
      run.forward()
      expect(run.y.elements.map(\.isNaN) == (0..<n * m).map { $0 % m == channel }, type, "channel \(channel)")
    }
  }
}
