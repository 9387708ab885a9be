import CKernels
import FisherKitTestSupport
import Testing

@Suite struct CrossEntropyTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 23)
    for m in Sizes.all + [10] {
      for n in [0, 1, 2, 50] {
        let z = random.uniform(n * m, in: -6...6)
        check(type, z, labels: random.labels(n: n, m: m), m: m, scale: 1 / Double(max(n, 1)))
      }
    }
  }

  /// A loss of e^-30 is not 0, and one of 1e4 not infinite.
  @Test(arguments: Target.all) func lossIsAccurateAtBothEnds(target: Target) {
    target.run { lossIsAccurateAtBothEnds($0) }
  }

  func lossIsAccurateAtBothEnds<T: KernelPrecision>(_ type: T.Type) {
    for gap in [0, 1e-3, 1, 30, 80, 100, 300, 1e4, 1e8] {
      check(type, [gap, 0, -1], labels: [0], m: 3)
      check(type, [-gap, 0, -1], labels: [0], m: 3)
      check(type, [gap, gap, 0], labels: [1], m: 3)
      check(type, [1, 0, -.infinity], labels: [0], m: 3)
    }
  }

  /// The largest logit decides, and the first of equal ones: a network that says the same of all classes is right about
  /// one of them only.
  @Test(arguments: Target.all) func theFirstOfEqualsCounts(target: Target) { target.run { theFirstOfEqualsCounts($0) } }

  func theFirstOfEqualsCounts<T: KernelPrecision>(_ type: T.Type) {
    for (z, label, correct) in [([1.0, 1, 0], 0, 1), ([1, 1, 0], 1, 0), ([1, 1, 0], 2, 0), ([0, 1, 2], 2, 1)] {
      expect(run(type, z, labels: [Int32(label)], m: 3, scale: 1).correct == correct, type, "\(z) label \(label)")
    }
  }

  @Test(arguments: Target.all) func aSampleWithNotANumberIsNeverCorrect(target: Target) {
    target.run { aSampleWithNotANumberIsNeverCorrect($0) }
  }

  func aSampleWithNotANumberIsNeverCorrect<T: KernelPrecision>(_ type: T.Type) {
    for m in [1, 2, 9] {
      for bad in 0..<m {
        for label in 0..<m {
          var z = [Double](repeating: 0, count: 2 * m)
          z[label] = 1
          z[m + label] = 1
          z[m + bad] = .nan
          let result = run(type, z, labels: [Int32(label), Int32(label)], m: m, scale: 1)
          let place = "m \(m) NaN at \(bad) label \(label)"
          expect(result.correct == 1, type, "\(place): \(result.correct) correct")
          expect(result.loss.isNaN, type, "\(place): loss \(result.loss)")
          expect(
            result.delta[..<m].allSatisfy(\.isFinite) && result.delta[m...].allSatisfy(\.isNaN), type,
            "\(place): delta \(result.delta)")
        }
      }
    }
  }

  @Test(arguments: Target.all) func aLabelOutsideTheClassesIsRefused(target: Target) {
    target.run { aLabelOutsideTheClassesIsRefused($0) }
  }

  func aLabelOutsideTheClassesIsRefused<T: KernelPrecision>(_ type: T.Type) {
    let (n, m) = (4, 3)
    let z = GuardedMatrix<T>([Double](repeating: 0, count: n * m), rows: n, columns: m)
    for bad in [-1, 3, Int32.max, .min] {
      for place in 0..<n {
        var labels: [Int32] = [0, 1, 2, 0]
        labels[place] = bad
        let delta = GuardedMatrix<T>(rows: n, columns: m)
        var loss = -1.0
        var correct = -1
        let status = T.kernels.softmaxCrossEntropy(&loss, &correct, delta.pointer, m, z.pointer, m, labels, n, m, 1)
        expect(status, is: FK_INVALID_ARGUMENT, type, "label \(bad) of sample \(place)")
        expect(
          loss == -1 && correct == -1 && delta.elements.allSatisfy(\.isNaN), type,
          "label \(bad) of sample \(place): something was written all the same")
      }
    }
  }

  @Test(arguments: Target.all) func deltaAndCountMayBeLeftOut(target: Target) {
    target.run { deltaAndCountMayBeLeftOut($0) }
  }

  func deltaAndCountMayBeLeftOut<T: KernelPrecision>(_ type: T.Type) {
    let z: [T] = [1, 2, 3]
    var loss = -1.0
    expect(T.kernels.softmaxCrossEntropy(&loss, nil, nil, 0, z, 3, [1], 1, 3, 1), type, "loss only")
    let expected = Reference.crossEntropy(z: [1, 2, 3], labels: [1], n: 1, m: 3, scale: 1)
    expect(abs(loss - expected.loss) < 1e-14, type, "loss \(loss), expected \(expected.loss)")
  }

  func check<T: KernelPrecision>(_ type: T.Type, _ z: [Double], labels: [Int32], m: Int, scale: Double = 1) {
    let n = labels.count
    let result = run(type, z, labels: labels, m: m, scale: scale)
    let expected = Reference.crossEntropy(z: T.precision.round(z), labels: labels, n: n, m: m, scale: scale)
    let place = "n \(n) m \(m)\(n == 1 && m < 4 ? " z \(z) label \(labels[0])" : "")"
    // the loss is double in either precision
    let loss = Comparison.elementwise(
      [result.loss], [expected.loss], tolerance: Tolerance.crossEntropy.relative(.double, terms: n * m))
    expect(loss, type, "loss \(place)")
    expect(result.correct == expected.correct, type, "\(place): \(result.correct) correct, not \(expected.correct)")
    let delta = Comparison.normwise(
      result.delta, expected.delta, scale: scale,
      tolerance: Tolerance.crossEntropy.relative(T.precision, terms: m))
    expect(delta, type, "delta \(place)")
  }

  func run<T: KernelPrecision>(
    _ type: T.Type, _ z: [Double], labels: [Int32], m: Int, scale: Double
  ) -> Reference.CrossEntropy {
    let n = labels.count
    let input = GuardedMatrix<T>(z, rows: n, columns: m, layout: .strided)
    let delta = GuardedMatrix<T>(rows: n, columns: m, layout: .strided)
    var result = Reference.CrossEntropy()
    let status = T.kernels.softmaxCrossEntropy(
      &result.loss, &result.correct, delta.pointer, delta.leadingDimension, input.pointer, input.leadingDimension,
      labels, n, m, scale)
    expect(status, type, "n \(n) m \(m)")
    expectIntact([input, delta], "n \(n) m \(m)")
    result.delta = delta.elements
    return result
  }
}
