import CKernels
import FisherKitTestSupport
import Testing

/// Records an issue that names the CPU level, the precision and the `place` (sizes, options) where a sweep failed.
func expect<Scalar: KernelPrecision>(
  _ condition: Bool, _ type: Scalar.Type, _ place: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  if condition { return }
  let level = String(cString: fk_level_name(fk_level_current()))
  Issue.record("\(level) \(type.precision) \(place())", sourceLocation: sourceLocation)
}

func expect<Scalar: KernelPrecision>(
  _ comparison: Comparison, _ type: Scalar.Type, _ place: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(comparison.isAllowed, type, "\(place()): \(comparison)", sourceLocation: sourceLocation)
}

func expect<Scalar: KernelPrecision>(
  _ status: fk_status, is expected: fk_status = FK_OK, _ type: Scalar.Type, _ place: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(
    status == expected, type, "\(place()): status \(status.rawValue), expected \(expected.rawValue)",
    sourceLocation: sourceLocation)
}

/// Every matrix a kernel was given has its gaps and margins untouched.
func expectIntact<Scalar: KernelPrecision>(
  _ matrices: [GuardedMatrix<Scalar>], _ place: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  for (index, matrix) in matrices.enumerated() {
    expect(
      matrix.paddingIsIntact, Scalar.self, "\(place()): memory around argument \(index) was written",
      sourceLocation: sourceLocation)
  }
}

/// Equal to the last bit, which is what "results do not depend on the number of threads" says.
func expectIdentical<Scalar: KernelPrecision>(
  _ a: [Double], _ b: [Double], _ type: Scalar.Type, _ place: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expect(
    Comparison.normwise(a, b, tolerance: 0), type, "\(place()) is not identical",
    sourceLocation: sourceLocation)
}
