import CKernels
import FisherKitTestSupport
import Testing

extension ArgumentTests {
  @Test(arguments: Target.all) func softmaxRefuses(target: Target) { target.run { softmaxRefuses($0) } }

  func softmaxRefuses<T: KernelPrecision>(_ type: T.Type) {
    let memory = GuardedMatrix<T>(rows: 4, columns: 4)
    let p = memory.pointer
    func softmax(_ n: Int, _ m: Int, ldeta: Int = 4, ldnu: Int = 4, ldz: Int = 4) -> fk_status {
      T.kernels.softmax(p, ldeta, p, ldnu, p, ldz, n, m, 1)
    }
    let labels: [Int32] = [0, 0, 0, 0]
    var loss = 0.0
    func crossEntropy(_ n: Int, _ m: Int, lddelta: Int = 4, ldz: Int = 4) -> fk_status {
      T.kernels.softmaxCrossEntropy(&loss, nil, p, lddelta, p, ldz, labels, n, m, 1)
    }
    expectRefused(
      type,
      [
        ("n negative", FK_INVALID_ARGUMENT, softmax(-1, 2)),
        ("m negative", FK_INVALID_ARGUMENT, softmax(2, -1)),
        ("ldeta below m", FK_INVALID_ARGUMENT, softmax(2, 3, ldeta: 2)),
        ("ldnu below m", FK_INVALID_ARGUMENT, softmax(2, 3, ldnu: 2)),
        ("ldz below m", FK_INVALID_ARGUMENT, softmax(2, 3, ldz: 2)),
        ("z NULL", FK_INVALID_ARGUMENT, T.kernels.softmax(p, 2, nil, 0, nil, 2, 1, 2, 1)),
        ("too many rows", FK_SIZE_OVERFLOW, softmax(.max, 2)),
        ("loss: n negative", FK_INVALID_ARGUMENT, crossEntropy(-1, 2)),
        ("loss: m negative", FK_INVALID_ARGUMENT, crossEntropy(2, -1)),
        ("loss: no class for the label", FK_INVALID_ARGUMENT, crossEntropy(2, 0)),
        ("loss: lddelta below m", FK_INVALID_ARGUMENT, crossEntropy(2, 3, lddelta: 2)),
        ("loss: ldz below m", FK_INVALID_ARGUMENT, crossEntropy(2, 3, ldz: 2)),
        ("loss: too many rows", FK_SIZE_OVERFLOW, crossEntropy(.max, 2)),
        (
          "loss: z NULL", FK_INVALID_ARGUMENT,
          T.kernels.softmaxCrossEntropy(&loss, nil, nil, 0, nil, 2, labels, 1, 2, 1)
        ),
        (
          "loss: labels NULL", FK_INVALID_ARGUMENT,
          T.kernels.softmaxCrossEntropy(&loss, nil, nil, 0, p, 2, nil, 1, 2, 1)
        ),
        (
          "loss NULL", FK_INVALID_ARGUMENT, T.kernels.softmaxCrossEntropy(nil, nil, nil, 0, p, 2, labels, 1, 2, 1)
        ),
      ])
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
  }

  @Test(arguments: Target.all) func softmaxBlockRefuses(target: Target) { target.run { softmaxBlockRefuses($0) } }

  func softmaxBlockRefuses<T: KernelPrecision>(_ type: T.Type) {
    let (n, d, m) = (3, 2, 4)
    let memory = GuardedMatrix<T>(rows: 8, columns: 8)
    let p = memory.pointer
    let dense = WorkSpace(T.kernels.softmaxBlockDenseWorkSize(n, d, m, 1))
    func denseBlock(
      _ n: Int, _ d: Int, _ m: Int, ldg: Int = 8, ldx: Int = 8, ldeta: Int = 8, size: Int? = nil
    ) -> fk_status {
      let statuses = [T.kernels.softmaxBlockDense, T.kernels.softmaxBlockLower].map { kernel in
        kernel(p, ldg, p, ldx, p, ldeta, n, d, m, 1, dense.pointer, size ?? dense.size, 1)
      }
      expect(statuses[0] == statuses[1], type, "dense and lower refuse differently: \(statuses)")
      return statuses[0]
    }
    let product = WorkSpace(T.kernels.softmaxBlockMatvecWorkSize(n, m))
    func matvec(
      _ n: Int, _ d: Int, _ m: Int, ldr: Int = 8, ldx: Int = 8, ldeta: Int = 8, ldv: Int = 8, size: Int? = nil
    ) -> fk_status {
      T.kernels.softmaxBlockMatvec(
        p, ldr, p, ldx, p, ldeta, p, ldv, n, d, m, 1, product.pointer, size ?? product.size, 1)
    }
    expectRefused(
      type,
      [
        ("dense: n negative", FK_INVALID_ARGUMENT, denseBlock(-1, d, m)),
        ("dense: d negative", FK_INVALID_ARGUMENT, denseBlock(n, -1, m)),
        ("dense: m negative", FK_INVALID_ARGUMENT, denseBlock(n, d, -1)),
        ("dense: ldg below md", FK_INVALID_ARGUMENT, denseBlock(n, d, m, ldg: 7)),
        ("dense: ldx below d", FK_INVALID_ARGUMENT, denseBlock(n, d, m, ldx: 1)),
        ("dense: ldeta below m", FK_INVALID_ARGUMENT, denseBlock(n, d, m, ldeta: 3)),
        ("dense: work too small", FK_INVALID_ARGUMENT, denseBlock(n, d, m, size: dense.size - 1)),
        (
          "dense: md too large", FK_SIZE_OVERFLOW,
          denseBlock(n, 1 << 16, 1 << 16, ldg: .max, ldx: 1 << 16, ldeta: 1 << 16)
        ),
        ("dense: n too large", FK_SIZE_OVERFLOW, denseBlock(.max, d, m)),
        ("matvec: n negative", FK_INVALID_ARGUMENT, matvec(-1, d, m)),
        ("matvec: d negative", FK_INVALID_ARGUMENT, matvec(n, -1, m)),
        ("matvec: m negative", FK_INVALID_ARGUMENT, matvec(n, d, -1)),
        ("matvec: ldr below d", FK_INVALID_ARGUMENT, matvec(n, d, m, ldr: 1)),
        ("matvec: ldx below d", FK_INVALID_ARGUMENT, matvec(n, d, m, ldx: 1)),
        ("matvec: ldeta below m", FK_INVALID_ARGUMENT, matvec(n, d, m, ldeta: 3)),
        ("matvec: ldv below d", FK_INVALID_ARGUMENT, matvec(n, d, m, ldv: 1)),
        ("matvec: work too small", FK_INVALID_ARGUMENT, matvec(n, d, m, size: product.size - 1)),
        ("matvec: n too large", FK_SIZE_OVERFLOW, matvec(.max, d, m)),
      ])
    expect(memory.elements.allSatisfy(\.isNaN), type, "something was written")
    expect(T.kernels.softmaxBlockDenseWorkSize(-1, 1, 1, 1) == -1, type, "dense work size, n negative")
    expect(T.kernels.softmaxBlockDenseWorkSize(1, .max, 1, 1) == -1, type, "dense work size, d too large")
    expect(T.kernels.softmaxBlockMatvecWorkSize(1, -1) == -1, type, "matvec work size, m negative")
    expect(T.kernels.softmaxBlockMatvecWorkSize(.max, 2) == -1, type, "matvec work size, n too large")
  }
}
