import CKernels
import FisherKitTestSupport
import Testing

extension ArgumentTests {
  @Test(arguments: Target.all) func gatherRefuses(target: Target) { target.run { gatherRefuses($0) } }

  func gatherRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    let bytes: [UInt8] = [1, 2, 3, 4]
    let floats: [Float] = [1, 2, 3, 4]
    let rows: [Int32] = [0, 0, 0, 0]
    for (name, n, width, ldx, expected) in [
      ("n negative", -1, 2, 4, FK_INVALID_ARGUMENT), ("width negative", 1, -1, 4, FK_INVALID_ARGUMENT),
      ("width minimal", 1, .min, 4, FK_INVALID_ARGUMENT), ("no room for the bias", 1, 3, 3, FK_INVALID_ARGUMENT),
      ("too many rows", .max, 2, 4, FK_SIZE_OVERFLOW), ("width too large", 1, .max, .max, FK_SIZE_OVERFLOW),
    ] {
      expectRefused(
        type,
        [
          ("bytes: \(name)", expected, T.kernels.gatherBytes(p, ldx, bytes, rows, n, width, 1, 1)),
          ("floats: \(name)", expected, T.kernels.gatherFloats(p, ldx, floats, rows, n, width, 1, 1)),
        ])
    }
    expectRefused(
      type,
      [
        ("bytes: X NULL", FK_INVALID_ARGUMENT, T.kernels.gatherBytes(nil, 4, bytes, rows, 1, 2, 1, 1)),
        ("bytes: source NULL", FK_INVALID_ARGUMENT, T.kernels.gatherBytes(p, 4, nil, rows, 1, 2, 1, 1)),
        ("bytes: rows NULL", FK_INVALID_ARGUMENT, T.kernels.gatherBytes(p, 4, bytes, nil, 1, 2, 1, 1)),
        ("floats: X NULL", FK_INVALID_ARGUMENT, T.kernels.gatherFloats(nil, 4, floats, rows, 1, 2, 1, 1)),
        ("floats: source NULL", FK_INVALID_ARGUMENT, T.kernels.gatherFloats(p, 4, nil, rows, 1, 2, 1, 1)),
        ("floats: rows NULL", FK_INVALID_ARGUMENT, T.kernels.gatherFloats(p, 4, floats, nil, 1, 2, 1, 1)),
      ])
    expectIntact([memory], "gather")
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }

  @Test(arguments: Target.all) func updatesRefuse(target: Target) { target.run { updatesRefuse($0) } }

  func updatesRefuse<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    var calls: [Call] = []
    for (name, count, expected) in [
      ("count negative", -1, FK_INVALID_ARGUMENT), ("count too large", Int.max, FK_SIZE_OVERFLOW),
    ] {
      calls += [
        ("momentum: \(name)", expected, T.kernels.updateMomentum(p, p, p, count, 1, 1)),
        ("adam: \(name)", expected, T.kernels.updateAdam(p, p, p, p, count, 1, 1, 1, 1)),
      ]
    }
    calls += [
      ("sgd: W NULL", FK_INVALID_ARGUMENT, T.kernels.updateSGD(nil, 4, p, 4, 2, 2, 1, 1)),
      ("sgd: G NULL", FK_INVALID_ARGUMENT, T.kernels.updateSGD(p, 4, nil, 4, 2, 2, 1, 1)),
      ("sgd: m negative", FK_INVALID_ARGUMENT, T.kernels.updateSGD(p, 4, p, 4, -1, 2, 1, 1)),
      ("sgd: d negative", FK_INVALID_ARGUMENT, T.kernels.updateSGD(p, 4, p, 4, 2, -1, 1, 1)),
      ("sgd: ldw below d", FK_INVALID_ARGUMENT, T.kernels.updateSGD(p, 1, p, 4, 2, 2, 1, 1)),
      ("sgd: ldg below d", FK_INVALID_ARGUMENT, T.kernels.updateSGD(p, 4, p, 1, 2, 2, 1, 1)),
      ("sgd: too many rows", FK_SIZE_OVERFLOW, T.kernels.updateSGD(p, 4, p, 4, .max, 2, 1, 1)),
      ("momentum: w NULL", FK_INVALID_ARGUMENT, T.kernels.updateMomentum(nil, p, p, 1, 1, 1)),
      ("momentum: v NULL", FK_INVALID_ARGUMENT, T.kernels.updateMomentum(p, nil, p, 1, 1, 1)),
      ("momentum: g NULL", FK_INVALID_ARGUMENT, T.kernels.updateMomentum(p, p, nil, 1, 1, 1)),
      ("adam: w NULL", FK_INVALID_ARGUMENT, T.kernels.updateAdam(nil, p, p, p, 1, 1, 1, 1, 1)),
      ("adam: first NULL", FK_INVALID_ARGUMENT, T.kernels.updateAdam(p, nil, p, p, 1, 1, 1, 1, 1)),
      ("adam: second NULL", FK_INVALID_ARGUMENT, T.kernels.updateAdam(p, p, nil, p, 1, 1, 1, 1, 1)),
      ("adam: g NULL", FK_INVALID_ARGUMENT, T.kernels.updateAdam(p, p, p, nil, 1, 1, 1, 1, 1)),
      ("decay: m negative", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(p, 4, p, 4, -1, 2, 1)),
      ("decay: d negative", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(p, 4, p, 4, 2, -1, 1)),
      ("decay: ldg below d", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(p, 1, p, 4, 2, 2, 1)),
      ("decay: ldw below d", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(p, 4, p, 1, 2, 2, 1)),
      ("decay: G NULL", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(nil, 4, p, 4, 2, 2, 1)),
      ("decay: W NULL", FK_INVALID_ARGUMENT, T.kernels.addWeightDecay(p, 4, nil, 4, 2, 2, 1)),
      ("decay: too many rows", FK_SIZE_OVERFLOW, T.kernels.addWeightDecay(p, 4, p, 4, .max, 2, 1)),
    ]
    var finite: Int32 = -1
    calls += [
      ("finite: n negative", FK_INVALID_ARGUMENT, T.kernels.allFinite(&finite, p, 4, -1, 2)),
      ("finite: lda below m", FK_INVALID_ARGUMENT, T.kernels.allFinite(&finite, p, 1, 2, 2)),
      ("finite: a NULL", FK_INVALID_ARGUMENT, T.kernels.allFinite(&finite, nil, 4, 2, 2)),
      ("finite: result NULL", FK_INVALID_ARGUMENT, T.kernels.allFinite(nil, p, 4, 2, 2)),
      ("finite: too many rows", FK_SIZE_OVERFLOW, T.kernels.allFinite(&finite, p, 4, .max, 2)),
    ]
    var dots = [-1.0, -1, -1, -1]
    calls += [
      ("dots: m negative", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, p, 4, p, 4, -1, 2)),
      ("dots: d negative", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, p, 4, p, 4, 2, -1)),
      ("dots: lda below d", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, p, 1, p, 4, 2, 2)),
      ("dots: ldb below d", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, p, 4, p, 1, 2, 2)),
      ("dots: A NULL", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, nil, 4, p, 4, 2, 2)),
      ("dots: B NULL", FK_INVALID_ARGUMENT, T.kernels.rowDots(&dots, p, 4, nil, 4, 2, 2)),
      ("dots: dots NULL", FK_INVALID_ARGUMENT, T.kernels.rowDots(nil, p, 4, p, 4, 2, 2)),
      ("dots: too many rows", FK_SIZE_OVERFLOW, T.kernels.rowDots(&dots, p, 4, p, 4, .max, 2)),
    ]
    func take(
      _ squares: inout [Double], m: Int = 2, d: Int = 2, c: Int = 4, g: Int = 4, w: Int = 4
    ) -> fk_status { T.kernels.takeGradient(&squares, p, c, p, g, p, w, m, d, 1) }
    calls += [
      ("take: m negative", FK_INVALID_ARGUMENT, take(&dots, m: -1)),
      ("take: d negative", FK_INVALID_ARGUMENT, take(&dots, d: -1)),
      ("take: ldc below d", FK_INVALID_ARGUMENT, take(&dots, c: 1)),
      ("take: ldg below d", FK_INVALID_ARGUMENT, take(&dots, g: 1)),
      ("take: ldw below d", FK_INVALID_ARGUMENT, take(&dots, w: 1)),
      ("take: C NULL", FK_INVALID_ARGUMENT, T.kernels.takeGradient(&dots, nil, 4, p, 4, p, 4, 2, 2, 1)),
      ("take: G NULL", FK_INVALID_ARGUMENT, T.kernels.takeGradient(&dots, p, 4, nil, 4, p, 4, 2, 2, 1)),
      ("take: W NULL", FK_INVALID_ARGUMENT, T.kernels.takeGradient(&dots, p, 4, p, 4, nil, 4, 2, 2, 1)),
      ("take: squares NULL", FK_INVALID_ARGUMENT, T.kernels.takeGradient(nil, p, 4, p, 4, p, 4, 2, 2, 1)),
      ("take: too many rows", FK_SIZE_OVERFLOW, take(&dots, m: .max)),
    ]
    expectRefused(type, calls)
    expect(dots == [-1, -1, -1, -1], type, "dots were written")
    expect(finite == -1 && memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }

  @Test(arguments: Target.all) func denseAlgebraRefuses(target: Target) { target.run { denseAlgebraRefuses($0) } }

  func denseAlgebraRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    let tooLarge = Int(Int32.max) + 1
    func gemm(
      _ m: Int, _ n: Int, _ k: Int, lda: Int = 4, ldb: Int = 4, ldc: Int = 4, transposed: Int32 = 0
    ) -> fk_status {
      T.kernels.gemm(p, ldc, p, lda, transposed, p, ldb, transposed, m, n, k, 1, 0, 1)
    }
    expectRefused(
      type,
      [
        ("gemm: m negative", FK_INVALID_ARGUMENT, gemm(-1, 2, 2)),
        ("gemm: n negative", FK_INVALID_ARGUMENT, gemm(2, -1, 2)),
        ("gemm: k negative", FK_INVALID_ARGUMENT, gemm(2, 2, -1)),
        ("gemm: ldc below n", FK_INVALID_ARGUMENT, gemm(2, 3, 2, ldc: 2)),
        ("gemm: lda below k", FK_INVALID_ARGUMENT, gemm(2, 2, 3, lda: 2)),
        ("gemm: ldb below n", FK_INVALID_ARGUMENT, gemm(2, 3, 2, ldb: 2)),
        ("gemm: lda below m of A^T", FK_INVALID_ARGUMENT, gemm(3, 2, 2, lda: 2, transposed: 1)),
        ("gemm: ldb below k of B^T", FK_INVALID_ARGUMENT, gemm(2, 2, 3, ldb: 2, transposed: 1)),
        ("gemm: m too large", FK_SIZE_OVERFLOW, gemm(.max, 2, 2)),
        ("gemm: m too large for BLAS", FK_SIZE_OVERFLOW, gemm(tooLarge, 0, 0)),
        ("gemm: lda too large for BLAS", FK_SIZE_OVERFLOW, gemm(1, 1, 1, lda: tooLarge)),
        ("gemm: C NULL", FK_INVALID_ARGUMENT, T.kernels.gemm(nil, 2, p, 2, 0, p, 2, 0, 2, 2, 2, 1, 0, 1)),
        ("gemm: A NULL", FK_INVALID_ARGUMENT, T.kernels.gemm(p, 2, nil, 2, 0, p, 2, 0, 2, 2, 2, 1, 0, 1)),
        ("gemm: B NULL", FK_INVALID_ARGUMENT, T.kernels.gemm(p, 2, p, 2, 0, nil, 2, 0, 2, 2, 2, 1, 0, 1)),
        ("gram: n negative", FK_INVALID_ARGUMENT, T.kernels.gram(p, 4, p, 4, -1, 2, 1, 0, 1)),
        ("gram: d negative", FK_INVALID_ARGUMENT, T.kernels.gram(p, 4, p, 4, 2, -1, 1, 0, 1)),
        ("gram: ldg below d", FK_INVALID_ARGUMENT, T.kernels.gram(p, 2, p, 4, 2, 3, 1, 0, 1)),
        ("gram: ldx below d", FK_INVALID_ARGUMENT, T.kernels.gram(p, 4, p, 2, 2, 3, 1, 0, 1)),
        ("gram: G NULL", FK_INVALID_ARGUMENT, T.kernels.gram(nil, 4, p, 4, 2, 3, 1, 0, 1)),
        ("gram: X NULL", FK_INVALID_ARGUMENT, T.kernels.gram(p, 4, nil, 4, 2, 3, 1, 0, 1)),
        ("gram: n too large for BLAS", FK_SIZE_OVERFLOW, T.kernels.gram(p, 4, p, 4, tooLarge, 2, 1, 0, 1)),
        ("factor: d negative", FK_INVALID_ARGUMENT, T.kernels.cholesky(p, 4, nil, -1, 1, 1)),
        ("factor: lda below d", FK_INVALID_ARGUMENT, T.kernels.cholesky(p, 2, nil, 3, 1, 1)),
        ("factor: A NULL", FK_INVALID_ARGUMENT, T.kernels.cholesky(nil, 4, nil, 3, 1, 1)),
        ("factor: d too large", FK_SIZE_OVERFLOW, T.kernels.cholesky(p, .max, nil, .max, 1, 1)),
        ("inverse factor: r negative", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, p, 4, -1, 1)),
        ("inverse factor: ldx below r", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 2, p, 4, 3, 1)),
        ("inverse factor: lda below r", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, p, 2, 3, 1)),
        ("inverse factor: X NULL", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(nil, 4, p, 4, 3, 1)),
        ("inverse factor: A NULL", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, nil, 4, 3, 1)),
        ("inverse factor: shift 0", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, p, 4, 3, 0)),
        ("inverse factor: shift NaN", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, p, 4, 3, .nan)),
        ("inverse factor: shift infinite", FK_INVALID_ARGUMENT, T.kernels.inverseFactor(p, 4, p, 4, 3, .infinity)),
        ("inverse factor: r too large", FK_SIZE_OVERFLOW, T.kernels.inverseFactor(p, .max, p, .max, .max, 1)),
        ("solve: m negative", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(p, 4, p, 4, 2, -1, 1)),
        ("solve: d negative", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(p, 4, p, 4, -1, 2, 1)),
        ("solve: ldd below d", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(p, 2, p, 4, 3, 2, 1)),
        ("solve: ldl below d", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(p, 4, p, 2, 3, 2, 1)),
        ("solve: D NULL", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(nil, 4, p, 4, 2, 2, 1)),
        ("solve: L NULL", FK_INVALID_ARGUMENT, T.kernels.choleskySolve(p, 4, nil, 4, 2, 2, 1)),
        ("solve: m too large", FK_SIZE_OVERFLOW, T.kernels.choleskySolve(p, 4, p, 4, 2, .max, 1)),
      ])
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }
}
