import CKernels
import FisherKitTestSupport
import Testing

/// Wrong arguments are refused before anything is touched: the pointers of these calls lead to a handful of elements.
@Suite struct ArgumentTests {
  static let linear = Reference.Activation.linear.kernelArgument

  /// Calls that have to be refused, each with the status it has to be refused with.
  typealias Call = (name: String, expected: fk_status, actual: fk_status)

  func expectRefused<T: KernelPrecision>(
    _ type: T.Type, _ calls: [Call], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for call in calls {
      expect(call.actual, is: call.expected, type, call.name, sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: Target.all) func activationRefuses(target: Target) { target.run { activationRefuses($0) } }

  func activationRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    func run(_ n: Int, _ m: Int, ldz: Int = 4, ldvalue: Int = 4, argument: fk_activation = Self.linear) -> fk_status {
      T.kernels.activation(p, ldvalue, nil, 0, nil, 0, p, ldz, n, m, argument, 1)
    }
    func relu(_ iota: Double, _ omega: Double) -> fk_activation {
      fk_activation(kind: FK_RELU, iota: iota, omega: omega, alpha: 0)
    }
    var calls: [Call] = [
      ("n negative", FK_INVALID_ARGUMENT, run(-1, 2)),
      ("m negative", FK_INVALID_ARGUMENT, run(2, -1)),
      ("n minimal", FK_INVALID_ARGUMENT, run(.min, 2)),
      ("ldz below m", FK_INVALID_ARGUMENT, run(2, 3, ldz: 2)),
      ("ldvalue below m", FK_INVALID_ARGUMENT, run(2, 3, ldvalue: 2)),
      ("too many rows", FK_SIZE_OVERFLOW, run(.max, 2)),
      ("too many bytes", FK_SIZE_OVERFLOW, run(.max / 4, 4)),
      ("rows too long", FK_SIZE_OVERFLOW, run(2, 1, ldz: .max)),
      ("outputs too long", FK_SIZE_OVERFLOW, run(2, 1, ldvalue: .max)),
      ("z NULL", FK_INVALID_ARGUMENT, T.kernels.activation(p, 2, nil, 0, nil, 0, nil, 2, 1, 2, Self.linear, 1)),
      ("delta NULL", FK_INVALID_ARGUMENT, T.kernels.activationBackward(nil, 2, p, 2, 1, 2, Self.linear, 1)),
      ("backward z NULL", FK_INVALID_ARGUMENT, T.kernels.activationBackward(p, 2, nil, 2, 1, 2, Self.linear, 1)),
      ("lddelta below m", FK_INVALID_ARGUMENT, T.kernels.activationBackward(p, 1, p, 2, 1, 2, Self.linear, 1)),
    ]
    let bad = [
      relu(-0.1, 1), relu(1, 1), relu(.nan, 1), relu(0, -1), relu(0, .nan), relu(0, .infinity),
      fk_activation(kind: FK_ELU, iota: 0, omega: 0, alpha: -1),
      fk_activation(kind: FK_ELU, iota: 0, omega: 0, alpha: .nan),
      fk_activation(kind: fk_activation_kind(rawValue: FK_GELU.rawValue + 1), iota: 0, omega: 0, alpha: 0),
      fk_activation(kind: fk_activation_kind(rawValue: -1), iota: 0, omega: 0, alpha: 0),
    ]
    calls += bad.map { ("\($0)", FK_INVALID_ARGUMENT, run(1, 2, argument: $0)) }
    calls += bad.map { ("backward \($0)", FK_INVALID_ARGUMENT, T.kernels.activationBackward(p, 2, p, 2, 1, 2, $0, 1)) }
    expectRefused(type, calls)
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }

  @Test(arguments: Target.all) func gramBatchRefuses(target: Target) { target.run { gramBatchRefuses($0) } }

  func gramBatchRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (3, 2, 4)
    let g = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(d, m))
    let p = GuardedMatrix<T>(rows: 4, columns: 4)
    let work = WorkSpace(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1))
    func run(
      _ n: Int, _ d: Int, _ m: Int, g target: UnsafeMutablePointer<T>? = nil, ldx: Int = 4, ldnu: Int = 4,
      x: UnsafePointer<T>? = nil, missing: Bool = false, size: Int? = nil
    ) -> fk_status {
      T.kernels.gramWeightedBatch(
        missing ? nil : g.pointer, x ?? UnsafePointer(p.pointer), ldx, p.pointer, ldnu, n, d, m, 1, 0, work.pointer,
        size ?? work.size, 1)
    }
    expectRefused(
      type,
      [
        ("n negative", FK_INVALID_ARGUMENT, run(-1, d, m)),
        ("d negative", FK_INVALID_ARGUMENT, run(n, -1, m)),
        ("m negative", FK_INVALID_ARGUMENT, run(n, d, -1)),
        ("ldx below d", FK_INVALID_ARGUMENT, run(n, d, m, ldx: 1)),
        ("ldnu below m", FK_INVALID_ARGUMENT, run(n, d, m, ldnu: 3)),
        ("G NULL", FK_INVALID_ARGUMENT, run(n, d, m, missing: true)),
        ("work too small", FK_INVALID_ARGUMENT, run(n, d, m, size: work.size - 1)),
        ("no work", FK_INVALID_ARGUMENT, run(n, d, m, size: 0)),
        (
          "work NULL", FK_INVALID_ARGUMENT,
          T.kernels.gramWeightedBatch(g.pointer, p.pointer, 4, p.pointer, 4, n, d, m, 1, 0, nil, work.size, 1)
        ),
        (
          "X NULL", FK_INVALID_ARGUMENT,
          T.kernels.gramWeightedBatch(g.pointer, nil, 4, p.pointer, 4, n, d, m, 1, 0, work.pointer, work.size, 1)
        ),
        (
          "nu NULL", FK_INVALID_ARGUMENT,
          T.kernels.gramWeightedBatch(g.pointer, p.pointer, 4, nil, 4, n, d, m, 1, 0, work.pointer, work.size, 1)
        ),
        ("n too large", FK_SIZE_OVERFLOW, run(.max, d, m)),
        ("d too large", FK_SIZE_OVERFLOW, run(1, 1 << 31, m, ldx: 1 << 31)),
        ("m too large", FK_SIZE_OVERFLOW, run(1, d, .max / 8, ldnu: .max / 8)),
      ])
    expect(g.elements.allSatisfy(\.isNaN), type, "something was written")
    for (n, d, m) in [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (1, .max, 1), (1, 1, .max), (.max, 1, .max / 32)] {
      expect(T.kernels.gramWeightedBatchWorkSize(n, d, m, 1) == -1, type, "work size of n \(n) d \(d) m \(m)")
    }
  }

  @Test(arguments: Target.all) func choleskyBatchRefuses(target: Target) { target.run { choleskyBatchRefuses($0) } }

  func choleskyBatchRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (d, m) = (2, 4)
    let l = GuardedMatrix<T>(rows: 1, columns: T.kernels.blockBatchCount(d, m))
    let v = GuardedMatrix<T>(rows: 4, columns: 4)
    let work = WorkSpace(T.kernels.choleskyBatchSolveWorkSize(d, m, 1))
    func solve(_ d: Int, _ m: Int, ldd: Int = 4, ldv: Int = 4, size: Int? = nil) -> fk_status {
      T.kernels.choleskyBatchSolve(
        v.pointer, ldd, l.pointer, v.pointer, ldv, d, m, work.pointer, size ?? work.size, 1)
    }
    expectRefused(
      type,
      [
        ("factor: d negative", FK_INVALID_ARGUMENT, T.kernels.choleskyBatch(l.pointer, nil, nil, -1, m, 1, 1, 1)),
        ("factor: m negative", FK_INVALID_ARGUMENT, T.kernels.choleskyBatch(l.pointer, nil, nil, d, -1, 1, 1, 1)),
        ("factor: G NULL", FK_INVALID_ARGUMENT, T.kernels.choleskyBatch(nil, nil, nil, d, m, 1, 1, 1)),
        ("factor: d too large", FK_SIZE_OVERFLOW, T.kernels.choleskyBatch(l.pointer, nil, nil, .max, m, 1, 1, 1)),
        ("factor: m too large", FK_SIZE_OVERFLOW, T.kernels.choleskyBatch(l.pointer, nil, nil, d, .max, 1, 1, 1)),
        ("solve: d negative", FK_INVALID_ARGUMENT, solve(-1, m)),
        ("solve: m negative", FK_INVALID_ARGUMENT, solve(d, -1)),
        ("solve: ldd below d", FK_INVALID_ARGUMENT, solve(d, m, ldd: 1)),
        ("solve: ldv below d", FK_INVALID_ARGUMENT, solve(d, m, ldv: 1)),
        ("solve: work too small", FK_INVALID_ARGUMENT, solve(d, m, size: work.size - 1)),
        ("solve: m too large", FK_SIZE_OVERFLOW, solve(d, .max)),
        ("solve: d too large", FK_SIZE_OVERFLOW, solve(1 << 31, 1 << 20, ldd: 1 << 31, ldv: 1 << 31)),
        (
          "solve: L NULL", FK_INVALID_ARGUMENT,
          T.kernels.choleskyBatchSolve(v.pointer, 4, nil, v.pointer, 4, d, m, work.pointer, work.size, 1)
        ),
        (
          "solve: V NULL", FK_INVALID_ARGUMENT,
          T.kernels.choleskyBatchSolve(v.pointer, 4, l.pointer, nil, 4, d, m, work.pointer, work.size, 1)
        ),
        (
          "solve: D NULL", FK_INVALID_ARGUMENT,
          T.kernels.choleskyBatchSolve(nil, 4, l.pointer, v.pointer, 4, d, m, work.pointer, work.size, 1)
        ),
        (
          "solve: work NULL", FK_INVALID_ARGUMENT,
          T.kernels.choleskyBatchSolve(v.pointer, 4, l.pointer, v.pointer, 4, d, m, nil, work.size, 1)
        ),
      ])
    expect((l.elements + v.elements).allSatisfy(\.isNaN), type, "something was written")
    for (d, m) in [(-1, 1), (1, -1), (.max, 1)] {
      expect(T.kernels.choleskyBatchSolveWorkSize(d, m, 1) == -1, type, "work size of d \(d) m \(m)")
    }
  }
}
