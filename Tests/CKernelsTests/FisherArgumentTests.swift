import CKernels
import FisherKitTestSupport
import Testing

/// The kernels that solve and multiply with Fisher matrices.
extension ArgumentTests {
  @Test(arguments: Target.all) func inverseRefuses(target: Target) { target.run { inverseRefuses($0) } }

  func inverseRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (d, m) = (2, 4)
    let a = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(d, m))
    let v = GuardedMatrix<T>(rows: 4, columns: 4)
    let work = WorkSpace(T.kernels.symmetricBatchMultiplyWorkSize(d, m, 1))
    let (p, q) = (a.pointer, v.pointer)
    func multiply(
      _ d: Int, _ m: Int, ldd: Int = 4, ldv: Int = 4, size: Int? = nil, missing: Int? = nil
    ) -> fk_status {
      T.kernels.symmetricBatchMultiply(
        missing == 0 ? nil : q, ldd, missing == 1 ? nil : p, missing == 2 ? nil : q, ldv, d, m,
        missing == 3 ? nil : work.pointer, size ?? work.size, 1)
    }
    var calls: [Call] = [
      ("inverse: d negative", FK_INVALID_ARGUMENT, T.kernels.choleskyBatchInverse(p, -1, m, 1)),
      ("inverse: m negative", FK_INVALID_ARGUMENT, T.kernels.choleskyBatchInverse(p, d, -1, 1)),
      ("inverse: L NULL", FK_INVALID_ARGUMENT, T.kernels.choleskyBatchInverse(nil, d, m, 1)),
      ("inverse: d too large", FK_SIZE_OVERFLOW, T.kernels.choleskyBatchInverse(p, .max, m, 1)),
      ("inverse: m too large", FK_SIZE_OVERFLOW, T.kernels.choleskyBatchInverse(p, d, .max, 1)),
      ("multiply: d negative", FK_INVALID_ARGUMENT, multiply(-1, m)),
      ("multiply: m negative", FK_INVALID_ARGUMENT, multiply(d, -1)),
      ("multiply: ldd below d", FK_INVALID_ARGUMENT, multiply(d, m, ldd: 1)),
      ("multiply: ldv below d", FK_INVALID_ARGUMENT, multiply(d, m, ldv: 1)),
      ("multiply: work too small", FK_INVALID_ARGUMENT, multiply(d, m, size: work.size - 1)),
      ("multiply: m too large", FK_SIZE_OVERFLOW, multiply(d, .max)),
      ("multiply: d too large", FK_SIZE_OVERFLOW, multiply(1 << 31, 1 << 20, ldd: 1 << 31, ldv: 1 << 31)),
    ]
    for index in 0..<4 {
      calls.append(("multiply: argument \(index) NULL", FK_INVALID_ARGUMENT, multiply(d, m, missing: index)))
    }
    expectRefused(type, calls)
    expect((a.elements + v.elements).allSatisfy(\.isNaN), type, "something was written")
    for (d, m) in [(-1, 1), (1, -1), (.max, 1)] {
      expect(T.kernels.symmetricBatchMultiplyWorkSize(d, m, 1) == -1, type, "work size of d \(d) m \(m)")
    }
  }

  @Test(arguments: Target.all) func kernelFormRefuses(target: Target) { target.run { kernelFormRefuses($0) } }

  func kernelFormRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (3, 2, 4)
    let l = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(n, m))
    let memory = GuardedMatrix<T>(rows: 8, columns: 8)
    let p = memory.pointer
    let work = WorkSpace(T.kernels.kernelBatchFactorWorkSize(n, m))
    func factor(
      _ n: Int, _ d: Int, _ m: Int, ldx: Int = 8, ldnu: Int = 8, damping: Double = 1, size: Int? = nil,
      missing: Int? = nil
    ) -> fk_status {
      T.kernels.kernelBatchFactor(
        missing == 0 ? nil : l.pointer, nil, nil, missing == 1 ? nil : p, ldx, missing == 2 ? nil : p, ldnu, n, d, m,
        damping, missing == 3 ? nil : work.pointer, size ?? work.size, 1)
    }
    let solveWork = WorkSpace(T.kernels.kernelBatchSolveWorkSize(n, m, 1))
    func solve(
      _ n: Int, _ d: Int, _ m: Int, ldd: Int = 8, ldx: Int = 8, ldnu: Int = 8, ldv: Int = 8, damping: Double = 1,
      refinements: Int32 = 1, size: Int? = nil, missing: Int? = nil
    ) -> fk_status {
      T.kernels.kernelBatchSolve(
        missing == 0 ? nil : p, ldd, missing == 1 ? nil : l.pointer, missing == 2 ? nil : p, ldx,
        missing == 3 ? nil : p, ldnu, missing == 4 ? nil : p, ldv, n, d, m, damping, refinements,
        missing == 5 ? nil : solveWork.pointer, size ?? solveWork.size, 1)
    }
    var calls: [Call] = [
      ("factor: n negative", FK_INVALID_ARGUMENT, factor(-1, d, m)),
      ("factor: d negative", FK_INVALID_ARGUMENT, factor(n, -1, m)),
      ("factor: m negative", FK_INVALID_ARGUMENT, factor(n, d, -1)),
      ("factor: ldx below d", FK_INVALID_ARGUMENT, factor(n, d, m, ldx: 1)),
      ("factor: ldnu below m", FK_INVALID_ARGUMENT, factor(n, d, m, ldnu: 3)),
      ("factor: work too small", FK_INVALID_ARGUMENT, factor(n, d, m, size: work.size - 1)),
      ("factor: n too large", FK_SIZE_OVERFLOW, factor(.max, d, m)),
      ("factor: n² too large", FK_SIZE_OVERFLOW, factor(1 << 33, d, m)),
      ("factor: m too large", FK_SIZE_OVERFLOW, factor(1, d, .max / 8, ldnu: .max / 8)),
      ("factor: rows too long for BLAS", FK_SIZE_OVERFLOW, factor(n, d, m, ldx: 1 << 31)),
      ("solve: n negative", FK_INVALID_ARGUMENT, solve(-1, d, m)),
      ("solve: d negative", FK_INVALID_ARGUMENT, solve(n, -1, m)),
      ("solve: m negative", FK_INVALID_ARGUMENT, solve(n, d, -1)),
      ("solve: ldd below d", FK_INVALID_ARGUMENT, solve(n, d, m, ldd: 1)),
      ("solve: ldx below d", FK_INVALID_ARGUMENT, solve(n, d, m, ldx: 1)),
      ("solve: ldnu below m", FK_INVALID_ARGUMENT, solve(n, d, m, ldnu: 3)),
      ("solve: ldv below d", FK_INVALID_ARGUMENT, solve(n, d, m, ldv: 1)),
      ("solve: refinements negative", FK_INVALID_ARGUMENT, solve(n, d, m, refinements: -1)),
      ("solve: work too small", FK_INVALID_ARGUMENT, solve(n, d, m, size: solveWork.size - 1)),
      ("solve: n too large", FK_SIZE_OVERFLOW, solve(.max, d, m)),
      ("solve: products too long for BLAS", FK_SIZE_OVERFLOW, solve(n, d, m, ldd: 1 << 31)),
    ]
    for index in 0..<4 {
      calls.append(("factor: argument \(index) NULL", FK_INVALID_ARGUMENT, factor(n, d, m, missing: index)))
    }
    for index in 0..<6 {
      calls.append(("solve: argument \(index) NULL", FK_INVALID_ARGUMENT, solve(n, d, m, missing: index)))
    }
    for damping in [0, -1, .nan, .infinity, -.infinity, T.precision.smallestDenormal] {
      calls.append(("factor: damping \(damping)", FK_INVALID_ARGUMENT, factor(n, d, m, damping: damping)))
      calls.append(("solve: damping \(damping)", FK_INVALID_ARGUMENT, solve(n, d, m, damping: damping)))
    }
    expectRefused(type, calls)
    expect((l.elements + memory.elements).allSatisfy(\.isNaN), type, "something was written")
    for (n, m) in [(-1, 1), (1, -1), (.max, 1), (1 << 33, 1), (1, .max)] {
      expect(T.kernels.kernelBatchFactorWorkSize(n, m) == -1, type, "factor work size of n \(n) m \(m)")
    }
    for (n, m, refinements) in [(-1, 1, 0), (1, -1, 0), (1, 1, -1), (.max, 2, 0), (1 << 40, 1 << 20, 1)] {
      expect(
        T.kernels.kernelBatchSolveWorkSize(n, m, Int32(refinements)) == -1, type, "solve work size of n \(n) m \(m)")
    }
  }

  @Test(arguments: Target.all) func twoLayerRefuses(target: Target) { target.run { twoLayerRefuses($0) } }

  func twoLayerRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m, outputs) = (3, 2, 4, 5)
    let memory = GuardedMatrix<T>(rows: 8, columns: 8)
    let p = memory.pointer
    let work = WorkSpace(T.kernels.twoLayerMatvecWorkSize(n, m, outputs))
    func run(
      _ n: Int, _ d: Int, _ m: Int, _ outputs: Int, ld: [Int: Int] = [:], kind: fk_outputs_kind = FK_OUTPUTS_SOFTMAX,
      size: Int? = nil, missing: Int? = nil
    ) -> fk_status {
      func argument(_ index: Int) -> UnsafeMutablePointer<T>? { missing == index ? nil : p }
      func length(_ index: Int) -> Int { ld[index] ?? 8 }
      return T.kernels.twoLayerMatvec(
        argument(0), length(0), argument(1), length(1), argument(2), length(2), argument(3), length(3), argument(4),
        length(4), argument(5), length(5), n, d, m, outputs, kind, 1, missing == 6 ? nil : work.pointer,
        size ?? work.size, 1)
    }
    var calls: [Call] = [
      ("n negative", FK_INVALID_ARGUMENT, run(-1, d, m, outputs)),
      ("d negative", FK_INVALID_ARGUMENT, run(n, -1, m, outputs)),
      ("m negative", FK_INVALID_ARGUMENT, run(n, d, -1, outputs)),
      ("outputs negative", FK_INVALID_ARGUMENT, run(n, d, m, -1)),
      ("work too small", FK_INVALID_ARGUMENT, run(n, d, m, outputs, size: work.size - 1)),
      ("no such kind", FK_INVALID_ARGUMENT, run(n, d, m, outputs, kind: fk_outputs_kind(rawValue: 2))),
      ("negative kind", FK_INVALID_ARGUMENT, run(n, d, m, outputs, kind: fk_outputs_kind(rawValue: -1))),
      ("n too large", FK_SIZE_OVERFLOW, run(.max, d, m, outputs)),
    ]
    for index in 0..<7 {
      calls.append(("argument \(index) NULL", FK_INVALID_ARGUMENT, run(n, d, m, outputs, missing: index)))
    }
    for (index, columns) in [d, d, m, m, outputs, d].enumerated() {
      calls.append(("ld \(index)", FK_INVALID_ARGUMENT, run(n, d, m, outputs, ld: [index: columns - 1])))
      calls.append(("long rows \(index)", FK_SIZE_OVERFLOW, run(n, d, m, outputs, ld: [index: .max])))
    }
    for index in [0, 1, 3, 5] {
      calls.append(("ld \(index) too large for BLAS", FK_SIZE_OVERFLOW, run(n, d, m, outputs, ld: [index: 1 << 31])))
    }
    expectRefused(type, calls)
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
    for (n, m, outputs) in [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (1, .max, 1), (.max, 1, 1)] {
      expect(T.kernels.twoLayerMatvecWorkSize(n, m, outputs) == -1, type, "work size of n \(n) m \(m) \(outputs)")
    }
  }
}
