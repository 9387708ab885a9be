import CKernels
import FisherKitTestSupport
import Testing

@Suite struct SoftmaxTests {
  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 20)
    for m in [0] + Sizes.all + [10, 100] {
      for n in [0, 1, 3] {
        for layout in GuardedMatrix<T>.Layout.allCases {
          check(type, random.uniform(n * m, in: -5...5), n: n, m: m, layout: layout)
        }
      }
    }
    for threads in Sizes.threads { check(type, random.normal(700 * 37), n: 700, m: 37, threads: threads) }
  }

  /// One logit far above the rest: 1 - eta is then the sum of the others, not the 0 or the noise of a subtraction.
  @Test(arguments: Target.all) func nuIsAccurateWhenEtaIsNearlyOne(target: Target) {
    target.run { nuIsAccurateWhenEtaIsNearlyOne($0) }
  }

  func nuIsAccurateWhenEtaIsNearlyOne<T: KernelPrecision>(_ type: T.Type) {
    for m in [2, 3, 10, 17] {
      for gap in [0.5, 1, 2, 5, 10, 17, 20, 40, 80, 100, 120, 700, 740] {
        for top in [0, m - 1] {
          var z = (0..<m).map { -gap + 0.01 * Double($0) }
          z[top] = 0.5
          check(type, z, n: 1, m: m)
        }
      }
    }
  }

  @Test(arguments: Target.all) func extremesNeitherOverflowNorVanish(target: Target) {
    target.run { extremesNeitherOverflowNorVanish($0) }
  }

  func extremesNeitherOverflowNorVanish<T: KernelPrecision>(_ type: T.Type) {
    let largest = T.precision.greatestFinite
    let rows: [[Double]] = [
      [1e4, -1e4, 0], [100, 100, 100], [-1e4, -1e4, -1e4 - 1], [1e30, 1e30, -1e30], [largest, 0, 1],
      [-largest, -largest, -largest], [-.infinity, 0, 1], [0, 0, -.infinity], [1e-30, -1e-30, 0],
    ]
    for z in rows {
      check(type, z, n: 1, m: 3)
    }
  }

  @Test(arguments: Target.all) func shiftChangesNothing(target: Target) { target.run { shiftChangesNothing($0) } }

  func shiftChangesNothing<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 21)
    let m = 19
    // multiples of 1/8, which stay exact when shifted
    let z = random.uniform(m, in: -64...64).map { ($0).rounded() / 8 }
    let expected = run(type, z, n: 1, m: m, layout: .packed, threads: 1)
    for shift in [-4096.0, -8, 8, 1024, 65536] {
      let shifted = run(type, z.map { $0 + shift }, n: 1, m: m, layout: .packed, threads: 1)
      expect(shifted.eta == expected.eta && shifted.nu == expected.nu, type, "shift \(shift)")
    }
  }

  @Test(arguments: Target.all) func notANumberSpoilsItsRowOnly(target: Target) {
    target.run { notANumberSpoilsItsRowOnly($0) }
  }

  func notANumberSpoilsItsRowOnly<T: KernelPrecision>(_ type: T.Type) {
    for m in [1, 5, 18] {
      for place in 0..<m {
        var z = [Double](repeating: 1, count: 3 * m)
        z[m + place] = .nan
        let output = run(type, z, n: 3, m: m, layout: .strided, threads: 1)
        for result in [output.eta] + (m > 1 ? [output.nu] : []) {
          expect(result.map(\.isNaN) == (0..<3 * m).map { $0 / m == 1 }, type, "m \(m) NaN at \(place): \(result)")
        }
      }
    }
  }

  @Test(arguments: Target.all) func eitherOutputMayBeLeftOut(target: Target) {
    target.run { eitherOutputMayBeLeftOut($0) }
  }

  func eitherOutputMayBeLeftOut<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 22)
    let (n, m) = (2, 21)
    let z = GuardedMatrix<T>(random.uniform(n * m, in: -9...9), rows: n, columns: m)
    let both = run(type, z.elements, n: n, m: m, layout: .packed, threads: 1)
    let output = GuardedMatrix<T>(rows: n, columns: m)
    expect(T.kernels.softmax(output.pointer, m, nil, 0, z.pointer, m, n, m, 1), type, "eta only")
    expect(output.elements == both.eta, type, "eta only")
    expect(T.kernels.softmax(nil, 0, output.pointer, m, z.pointer, m, n, m, 1), type, "nu only")
    expect(output.elements == both.nu, type, "nu only")
    expect(T.kernels.softmax(nil, 0, nil, 0, z.pointer, m, n, m, 1), type, "neither")
  }

  func check<T: KernelPrecision>(
    _ type: T.Type, _ z: [Double], n: Int, m: Int, layout: GuardedMatrix<T>.Layout = .packed, threads: Int32 = 1
  ) {
    let output = run(type, z, n: n, m: m, layout: layout, threads: threads)
    let expected = Reference.softmax(z: T.precision.round(z), n: n, m: m)
    for (name, actual, reference) in [("eta", output.eta, expected.eta), ("nu", output.nu, expected.nu)] {
      let comparison = Comparison.elementwise(
        actual, reference, floor: 4 * T.precision.smallestDenormal,
        tolerance: Tolerance.softmax.relative(T.precision, terms: m))
      expect(comparison, type, "\(name) n \(n) m \(m) \(layout) threads \(threads)\(n == 1 && m < 4 ? " z \(z)" : "")")
    }
  }

  func run<T: KernelPrecision>(
    _ type: T.Type, _ z: [Double], n: Int, m: Int, layout: GuardedMatrix<T>.Layout, threads: Int32
  ) -> (eta: [Double], nu: [Double]) {
    let input = GuardedMatrix<T>(z, rows: n, columns: m, layout: layout)
    let eta = GuardedMatrix<T>(rows: n, columns: m, layout: layout)
    let nu = GuardedMatrix<T>(rows: n, columns: m, layout: layout)
    let status = T.kernels.softmax(
      eta.pointer, eta.leadingDimension, nu.pointer, nu.leadingDimension, input.pointer, input.leadingDimension, n, m,
      threads)
    expect(status, type, "n \(n) m \(m)")
    expectIntact([input, eta, nu], "n \(n) m \(m)")
    return (eta.elements, nu.elements)
  }
}
