import CKernels
import FisherKitTestSupport
import Testing

/// Orthogonal factors of several matrices at once, in full precision and in bfloat16, against plain loops.
@Suite struct NewtonSchulzTests {
  static let coefficients: [[Double]] = [
    [3.4445, -4.7750, 2.0315], [3.4445, -4.7750, 2.0315], [2.0, -1.5, 0.5], [3.4445, -4.7750, 2.0315],
    [1.875, -1.25, 0.375],
  ]
  /// Small ones; some that all threads share; sides about strips, panels and pieces of sums.
  static let sets: [[(m: Int, d: Int)]] = [
    [(1, 1)], [(1, 40), (40, 1), (0, 5), (5, 0)], [(7, 7), (16, 17), (17, 16), (33, 31), (31, 95), (95, 31)],
    [(64, 64), (80, 100), (97, 80), (10, 80)], [(257, 300), (5, 9), (300, 257)],
  ]

  private func run<T: KernelPrecision>(
    _ type: T.Type, _ matrices: [GuardedMatrix<T>], isBfloat16: Int32, threads: Int32, place: String
  ) -> fk_status {
    let (m, d) = (matrices.map(\.rows), matrices.map(\.columns))
    let flat = Self.coefficients.flatMap { $0 }
    let work = WorkSpace(T.kernels.newtonSchulzWorkSize(m, d, m.count, Self.coefficients.count, isBfloat16, threads))
    let status = T.kernels.newtonSchulz(
      matrices.map(\.pointer), matrices.map(\.leadingDimension), m, d, m.count, flat, Self.coefficients.count,
      isBfloat16, work.pointer, work.size, threads)
    expectIntact(matrices, place)
    expect(work.isIntact, type, "\(place): written past the work space")
    return status
  }

  @Test(arguments: Target.all) func matchesReference(target: Target) {
    target.run { matchesReference($0, isBfloat16: 0, tolerance: $0.precision == .float ? 2e-3 : 1e-10) }
  }

  /// Where the CPU has them, sums of products of bfloat16: near the reference that rounds as they do. (A sum that falls on
  /// the other side of a rounding moves what follows.)
  @Test func bfloat16() {
    guard fk_bfloat16_supported() != 0 else { return }
    matchesReference(Float.self, isBfloat16: 1, seen: Reference.bfloat16, tolerance: 0.02)
  }

  /// And the same with any number of threads.
  private func matchesReference<T: KernelPrecision>(
    _ type: T.Type, isBfloat16: Int32, seen: (Double) -> Double = { $0 }, tolerance: Double
  ) {
    var random = SplitMix64(seed: 17)
    for (index, set) in Self.sets.enumerated() {
      let numbers = set.map { random.normal($0.m * $0.d) }
      var results: [[Double]] = []
      for threads: Int32 in [1, 2, 3] {
        let matrices = zip(set, numbers).map {
          GuardedMatrix<T>($1, rows: $0.m, columns: $0.d, layout: .strided, gap: 40)
        }
        let before = matrices.map(\.elements)
        let place = "set \(index), \(threads) threads"
        expect(run(type, matrices, isBfloat16: isBfloat16, threads: threads, place: place), type, place)
        results.append(matrices.flatMap(\.elements))
        guard threads == 1 else { continue }
        for (matrix, before) in zip(matrices, before) where !before.isEmpty {
          let expected = Reference.orthogonalFactor(
            before, rows: matrix.rows, columns: matrix.columns, coefficients: Self.coefficients, seen: seen)
          let comparison = Comparison.normwise(matrix.elements, expected, tolerance: tolerance)
          expect(comparison, type, "\(place): \(matrix.rows) × \(matrix.columns)")
        }
      }
      for other in results.dropFirst() { expectIdentical(other, results[0], type, "set \(index): other threads") }
    }
  }

  /// Numbers whose squares a float has not, and zeros.
  @Test(arguments: Target.all) func extremes(target: Target) { target.run { extremes($0) } }

  func extremes<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 18)
    let numbers = random.normal(12 * 20)
    let plain = GuardedMatrix<T>(numbers, rows: 12, columns: 20)
    expect(run(type, [plain], isBfloat16: 0, threads: 1, place: "plain"), type, "plain")
    for factor in T.precision == .float ? [1e30, 1e-25, 0] : [1e30, 1e200, 1e-25, 1e-200, 0] {
      let matrix = GuardedMatrix<T>(numbers.map { $0 * factor }, rows: 12, columns: 20)
      let before = matrix.elements
      expect(run(type, [matrix], isBfloat16: 0, threads: 1, place: "\(factor)"), type, "\(factor)")
      if factor > 1 {
        expect(Comparison.normwise(matrix.elements, plain.elements, tolerance: 1e-4), type, "\(factor)")
      } else if factor == 0 {
        expectIdentical(matrix.elements, before, type, "zeros")
      } else {
        expect(matrix.elements.allSatisfy { abs($0) < 1e-10 }, type, "next to nothing")
      }
    }
  }

  @Test func bfloat16IsRefusedWhereItIsNot() throws {
    let matrix = GuardedMatrix<Double>(Array(repeating: 1, count: 6), rows: 2, columns: 3)
    expect(
      run(Double.self, [matrix], isBfloat16: 1, threads: 1, place: "double") == FK_UNSUPPORTED, Double.self, "double")
    #expect(fk_level_select(0) == FK_OK)
    defer { _ = fk_level_select(-1) }
    #expect(fk_bfloat16_supported() == 0)
    let single = GuardedMatrix<Float>(Array(repeating: 1, count: 6), rows: 2, columns: 3)
    expect(run(Float.self, [single], isBfloat16: 1, threads: 1, place: "baseline") == FK_UNSUPPORTED, Float.self, "")
  }
}

extension ArgumentTests {
  @Test(arguments: Target.all) func newtonSchulzRefuses(target: Target) { target.run { newtonSchulzRefuses($0) } }

  func newtonSchulzRefuses<T: KernelPrecision>(_ type: T.Type) {
    let matrix = GuardedMatrix<T>(rows: 4, columns: 4)
    let work = WorkSpace(T.kernels.newtonSchulzWorkSize([4], [4], 1, 1, 0, 1))
    func call(
      _ pointer: UnsafeMutablePointer<T>? = nil, ld: Int = 4, m: Int = 4, count: Int = 1, iterations: Int = 1,
      missing: Int? = nil, size: Int? = nil
    ) -> fk_status {
      let pointers = [missing == 0 ? nil : matrix.pointer]
      return T.kernels.newtonSchulz(
        missing == 1 ? nil : pointers, missing == 2 ? nil : [ld], missing == 3 ? nil : [m], missing == 4 ? nil : [4],
        count, missing == 5 ? nil : [1, 1, 1], iterations, 0, missing == 6 ? nil : work.pointer, size ?? work.size, 1)
    }
    var calls: [Call] = [
      ("newton-schulz: rows negative", FK_INVALID_ARGUMENT, call(m: -1)),
      ("newton-schulz: count negative", FK_INVALID_ARGUMENT, call(count: -1)),
      ("newton-schulz: no iterations", FK_INVALID_ARGUMENT, call(iterations: 0)),
      ("newton-schulz: leading dimension", FK_INVALID_ARGUMENT, call(ld: 3)),
      ("newton-schulz: work too small", FK_INVALID_ARGUMENT, call(size: work.size - 1)),
      ("newton-schulz: rows too many", FK_SIZE_OVERFLOW, call(m: .max / 4)),
    ]
    for index in 0..<7 {
      calls.append(("newton-schulz: argument \(index) NULL", FK_INVALID_ARGUMENT, call(missing: index)))
    }
    expectRefused(type, calls)
    expect(matrix.elements.allSatisfy(\.isNaN), type, "something was written")
    expect(call(count: 0) == FK_OK, type, "no matrices")
  }
}
