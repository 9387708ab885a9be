import CKernels
import FisherKitTestSupport
import Testing

/// L^-1 of one matrix with ones on its diagonal, which makes rows orthonormal.
@Suite struct InverseFactorTests {
  static let orders = [0] + Sizes.all + [63, 64, 65, 128, 129]

  @Test(arguments: Target.all) func matchesReference(target: Target) { target.run { matchesReference($0) } }

  func matchesReference<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 71)
    for r in Self.orders {
      let numbers = correlations(r, of: 2 * r, using: &random)
      for shift in [1e-5, 0.25] {
        let a = GuardedMatrix<T>(numbers, rows: r, columns: r, layout: .strided)
        let x = inverse(type, a, shift: shift)
        let expected = Reference.inverseFactor(a.elements, r: r, shift: shift)
        // (the condition of 2r samples over r is some tens)
        expect(
          Comparison.normwise(x, expected, tolerance: 64 * Tolerance.inverse.relative(T.precision, terms: r)), type,
          "r \(r) shift \(shift)")
        let above = x.indices.first { $0 % r > $0 / r && x[$0] != 0 }
        expect(above == nil, type, "r \(r): element \(above ?? -1), above the diagonal, is not 0")
      }
    }
  }

  /// Rows that depend on earlier ones come out short, and the others as if those were not there: L^-1 A L^-T is near the
  /// identity where A has information.
  @Test(arguments: Target.all) func dependentRows(target: Target) { target.run { dependentRows($0) } }

  func dependentRows<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 72)
    for (r, n) in [(2, 1), (30, 7), (128, 50), (130, 129)] {
      let shift = 16 * T.precision.unitRoundoff * 2
      let a = GuardedMatrix<T>(correlations(r, of: n, using: &random), rows: r, columns: r, layout: .strided)
      let (x, m) = (inverse(type, a, shift: shift), a.elements)
      expect(x.allSatisfy(\.isFinite), type, "r \(r) of \(n)")
      for i in 0..<r {
        var square = 0.0
        for j in 0...i { for k in 0...i { square += x[i * r + j] * m[j * r + k] * x[i * r + k] } }
        // (of a dependent row it is rounding errors, as large as they are small in A)
        let allowed = i < n / 2 ? 0.9..<1.1 : -2..<2
        expect(allowed.contains(square), type, "r \(r) of \(n), row \(i): \(square)")
      }
    }
  }

  /// What is no number is lifted, and spoils no row before it.
  @Test(arguments: Target.all) func notANumber(target: Target) { target.run { notANumber($0) } }

  func notANumber<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 73)
    let r = 70
    let numbers = correlations(r, of: 2 * r, using: &random)
    let good = inverse(type, GuardedMatrix<T>(numbers, rows: r, columns: r, layout: .strided), shift: 1e-4)
    for bad in [0, 1, 63, 64, 69] {
      var a = numbers
      a[bad * r + bad] = .nan
      let x = inverse(type, GuardedMatrix<T>(a, rows: r, columns: r, layout: .strided), shift: 1e-4)
      let other = (0..<bad * r).first { x[$0] != good[$0] }
      expect(other == nil, type, "NaN at \(bad): \(other ?? -1) differs")
      expect(x[bad * r + bad].isFinite, type, "NaN at \(bad): it is not lifted")
    }
  }

  /// The inner products of r normal rows of n numbers, scaled to length 1.
  private func correlations(_ r: Int, of n: Int, using random: inout SplitMix64) -> [Double] {
    var rows = random.normal(r * n)
    for i in 0..<r {
      let norm = (0..<n).reduce(0) { $0 + rows[i * n + $1] * rows[i * n + $1] }.squareRoot()
      for j in 0..<n { rows[i * n + j] /= norm }
    }
    return (0..<r * r).map { k in (0..<n).reduce(0) { $0 + rows[k / r * n + $1] * rows[k % r * n + $1] } }
  }

  private func inverse<T: KernelPrecision>(_ type: T.Type, _ a: GuardedMatrix<T>, shift: Double) -> [Double] {
    let r = a.rows
    let x = GuardedMatrix<T>([Double](repeating: .nan, count: r * r), rows: r, columns: r, layout: .strided)
    expect(
      T.kernels.inverseFactor(x.pointer, x.leadingDimension, a.pointer, a.leadingDimension, r, shift), type, "r \(r)")
    expectIntact([x, a], "r \(r)")
    return x.elements
  }
}
