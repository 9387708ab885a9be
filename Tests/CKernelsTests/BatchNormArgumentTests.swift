import CKernels
import FisherKitTestSupport
import Testing

extension ArgumentTests {
  @Test(arguments: Target.all) func batchNormRefuses(target: Target) { target.run { batchNormRefuses($0) } }

  func batchNormRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    /// `missing` is the place of a pointer that is NULL, among the matrices and vectors in order; `narrow` that of a
    /// leading dimension of 1, among the leading dimensions.
    func forward(_ n: Int = 3, _ m: Int = 2, missing: Int = -1, narrow: Int = -1, epsilon: Double = 1) -> fk_status {
      func a(_ i: Int) -> UnsafeMutablePointer<T>? { i == missing ? nil : p }
      func ld(_ i: Int) -> Int { i == narrow ? 1 : 4 }
      return T.kernels.batchNormForward(
        a(0), ld(0), a(1), ld(1), a(2), a(3), a(4), a(5), ld(2), a(6), ld(3), n, m, epsilon, 1)
    }
    func backward(_ n: Int = 3, _ m: Int = 2, missing: Int = -1, narrow: Int = -1) -> fk_status {
      func a(_ i: Int) -> UnsafeMutablePointer<T>? { i == missing ? nil : p }
      func ld(_ i: Int) -> Int { i == narrow ? 1 : 4 }
      return T.kernels.batchNormBackward(
        a(0), ld(0), a(1), ld(1), a(2), ld(2), a(3), ld(3), a(4), a(5), ld(4), n, m, 1)
    }
    func evaluate(_ n: Int = 3, _ m: Int = 2, missing: Int = -1, narrow: Int = -1, epsilon: Double = 1) -> fk_status {
      func a(_ i: Int) -> UnsafeMutablePointer<T>? { i == missing ? nil : p }
      func ld(_ i: Int) -> Int { i == narrow ? 1 : 4 }
      return T.kernels.batchNormEvaluate(a(0), ld(0), a(1), ld(1), a(2), a(3), a(4), ld(2), n, m, epsilon, 1)
    }
    var calls: [Call] = []
    for (name, n, m, expected) in [
      ("n negative", -1, 2, FK_INVALID_ARGUMENT), ("m negative", 3, -1, FK_INVALID_ARGUMENT),
      ("too many rows", .max, 2, FK_SIZE_OVERFLOW),
    ] {
      calls += [
        ("forward: \(name)", expected, forward(n, m)), ("backward: \(name)", expected, backward(n, m)),
        ("evaluate: \(name)", expected, evaluate(n, m)),
      ]
    }
    calls += [
      ("forward: no rows", FK_INVALID_ARGUMENT, forward(0)), ("backward: no rows", FK_INVALID_ARGUMENT, backward(0)),
    ]
    for i in 0..<7 { calls.append(("forward: NULL \(i)", FK_INVALID_ARGUMENT, forward(missing: i))) }
    for i in 0..<6 { calls.append(("backward: NULL \(i)", FK_INVALID_ARGUMENT, backward(missing: i))) }
    for i in 0..<5 { calls.append(("evaluate: NULL \(i)", FK_INVALID_ARGUMENT, evaluate(missing: i))) }
    for i in 0..<4 { calls.append(("forward: narrow \(i)", FK_INVALID_ARGUMENT, forward(narrow: i))) }
    for i in 0..<5 { calls.append(("backward: narrow \(i)", FK_INVALID_ARGUMENT, backward(narrow: i))) }
    for i in 0..<3 { calls.append(("evaluate: narrow \(i)", FK_INVALID_ARGUMENT, evaluate(narrow: i))) }
    for epsilon in [-1, .nan, .infinity] {
      calls += [
        ("forward: epsilon \(epsilon)", FK_INVALID_ARGUMENT, forward(epsilon: epsilon)),
        ("evaluate: epsilon \(epsilon)", FK_INVALID_ARGUMENT, evaluate(epsilon: epsilon)),
      ]
    }
    expectRefused(type, calls)
    expectIntact([memory], "batch normalisation")
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
    expect(forward(3, 0), type, "no channels")
    expect(backward(3, 0), type, "no channels")
    expect(evaluate(0, 2), type, "nothing to evaluate")
  }
}
