import CKernels
import FisherKitTestSupport
import Testing

/// Eigenvalues of one symmetric matrix, by LAPACK.
@Suite struct EigenvalueTests {
  @Test(arguments: Target.all) func matchTheOnesAMatrixWasMadeOf(target: Target) {
    target.run { matchTheOnesAMatrixWasMadeOf($0) }
  }

  func matchTheOnesAMatrixWasMadeOf<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 51)
    for d in Sizes.all + [100, 130] {
      let eigenvalues = random.uniform(d, in: -2...3).sorted()
      let matrix = GuardedMatrix<T>(random.symmetric(eigenvalues: eigenvalues), rows: d, columns: d, layout: .strided)
      let values = GuardedMatrix<T>(rows: 1, columns: d)
      let work = WorkSpace(T.kernels.eigenvaluesWorkSize(d))
      let status = T.kernels.eigenvalues(
        values.pointer, matrix.pointer, matrix.leadingDimension, d, work.pointer, work.size)
      expect(status, type, "d \(d)")
      expectIntact([matrix, values], "d \(d)")
      expect(work.isIntact, type, "d \(d): wrote outside of its work space")
      let comparison = Comparison.normwise(
        values.elements, eigenvalues, tolerance: Tolerance.product.relative(T.precision, terms: d))
      expect(comparison, type, "d \(d)")
    }
  }

  @Test(arguments: Target.all) func vectors(target: Target) { target.run { vectors($0) } }

  /// Of length 1, and taken by the matrix to their eigenvalue's multiple.
  func vectors<T: KernelPrecision>(_ type: T.Type) {
    var random = SplitMix64(seed: 52)
    for d in Sizes.all + [100, 130] {
      let eigenvalues = random.uniform(d, in: -2...3).sorted()
      let original = random.symmetric(eigenvalues: eigenvalues)
      let matrix = GuardedMatrix<T>(original, rows: d, columns: d, layout: .strided)
      let values = GuardedMatrix<T>(rows: 1, columns: d)
      let work = WorkSpace(T.kernels.eigenvectorsWorkSize(d))
      let status = T.kernels.eigenvectors(
        values.pointer, matrix.pointer, matrix.leadingDimension, d, work.pointer, work.size)
      expect(status, type, "d \(d)")
      expectIntact([matrix, values], "d \(d)")
      expect(work.isIntact, type, "d \(d): wrote outside of its work space")
      let tolerance = 8 * Tolerance.product.relative(T.precision, terms: d)
      expect(Comparison.normwise(values.elements, eigenvalues, tolerance: tolerance), type, "d \(d)")
      let (q, lambda) = (matrix.elements, values.elements)
      let identity = (0..<d * d).map { $0 % (d + 1) == 0 ? 1.0 : 0 }
      expect(
        Comparison.normwise(
          Reference.gemm(a: q, b: q, transposeB: true, m: d, n: d, k: d), identity, tolerance: tolerance),
        type, "d \(d), lengths")
      let images = Reference.gemm(a: q, b: original, m: d, n: d, k: d)
      let multiples = (0..<d * d).map { lambda[$0 / d] * q[$0] }
      expect(Comparison.normwise(images, multiples, tolerance: tolerance), type, "d \(d), images")
    }
    let work = WorkSpace(T.kernels.eigenvectorsWorkSize(3))
    func run(_ a: [Double], d: Int = 3, ld: Int = 3, work: WorkSpace?, size: Int? = nil, hasValues: Bool = true)
      -> fk_status
    {
      let (matrix, values) = (GuardedMatrix<T>(a, rows: 3, columns: 3), GuardedMatrix<T>(rows: 1, columns: 3))
      return T.kernels.eigenvectors(
        hasValues ? values.pointer : nil, matrix.pointer, ld, d, work?.pointer, size ?? work?.size ?? 0)
    }
    let unit: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    for bad in [Double.nan, .infinity] {
      var a = unit
      a[6] = bad
      expect(run(a, work: work), is: FK_INVALID_ARGUMENT, type, "\(bad) below the diagonal")
    }
    expect(run(unit, work: nil), is: FK_INVALID_ARGUMENT, type, "no work space")
    expect(run(unit, work: work, size: work.size - 1), is: FK_INVALID_ARGUMENT, type, "too little of it")
    expect(run(unit, work: work, hasValues: false), is: FK_INVALID_ARGUMENT, type, "no values")
    expect(run(unit, d: -1, work: work), is: FK_INVALID_ARGUMENT, type, "negative order")
    expect(run(unit, d: 1 << 30, ld: 1 << 30, work: work), is: FK_SIZE_OVERFLOW, type, "huge")
    expect(run(unit, d: 0, work: nil), type, "order 0")
    expect(T.kernels.eigenvectorsWorkSize(-1) == -1 && T.kernels.eigenvectorsWorkSize(.max) == -1, type, "work sizes")
  }

  @Test(arguments: Target.all) func refusals(target: Target) { target.run { refusals($0) } }

  func refusals<T: KernelPrecision>(_ type: T.Type) {
    let values = GuardedMatrix<T>(rows: 1, columns: 3)
    let work = WorkSpace(T.kernels.eigenvaluesWorkSize(3))
    func run(_ a: [Double], d: Int = 3, ld: Int = 3, work: WorkSpace?, values: GuardedMatrix<T>? = nil) -> fk_status {
      let matrix = GuardedMatrix<T>(a, rows: 3, columns: 3)
      return T.kernels.eigenvalues(values?.pointer, matrix.pointer, ld, d, work?.pointer, work?.size ?? 0)
    }
    let unit: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    for bad in [Double.nan, .infinity] {
      for (row, column) in [(0, 0), (2, 0), (2, 2)] {
        var a = unit
        a[row * 3 + column] = bad
        expect(run(a, work: work, values: values), is: FK_INVALID_ARGUMENT, type, "\(bad) at (\(row), \(column))")
      }
      // the upper triangle is not read
      var a = unit
      a[2] = bad
      expect(run(a, work: work, values: values), type, "\(bad) above the diagonal")
    }
    expect(run(unit, work: nil, values: values), is: FK_INVALID_ARGUMENT, type, "no work space")
    expect(run(unit, work: WorkSpace(work.size - 1), values: values), is: FK_INVALID_ARGUMENT, type, "too little of it")
    expect(run(unit, work: work), is: FK_INVALID_ARGUMENT, type, "no values")
    expect(run(unit, d: -1, work: work, values: values), is: FK_INVALID_ARGUMENT, type, "negative order")
    expect(run(unit, ld: 2, work: work, values: values), is: FK_INVALID_ARGUMENT, type, "short rows")
    expect(run(unit, d: .max, ld: .max, work: work, values: values), is: FK_SIZE_OVERFLOW, type, "huge")
    expect(run(unit, d: 0, work: nil), type, "order 0")
    expect(T.kernels.eigenvaluesWorkSize(-1) == -1 && T.kernels.eigenvaluesWorkSize(.max) == -1, type, "work sizes")
  }
}
