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
