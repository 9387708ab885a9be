import CKernels
import FisherKitTestSupport

/// The explicit inverses of a factored layer.
final class CholeskyInverse<T: BenchScalar>: KernelBench {
  static var kernel: String { "cholesky_batch_inverse" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { InvertedLayer<T>.shapes }

  private let layer: DampedLayer<T>
  private let factors: Blocks<T>
  private let factored: fk_status

  init(_ shape: Shape, threads: Int32) {
    layer = DampedLayer(shape, threads: threads)
    factored = layer.factorize()
    factors = Blocks(d: layer.d, m: layer.m)
    factors.storage.copy(from: layer.factors.storage)
  }

  var flops: Double { 2 * Double(layer.m) * Double(layer.d * layer.d * layer.d) / 3 }
  var bytes: Double { 2 * layer.factors.bytes }
  func reset() { layer.factors.storage.copy(from: factors.storage) }

  func call() -> fk_status {
    if factored != FK_OK { return factored }
    return T._kernels.choleskyBatchInverse(layer.factors.storage.pointer, layer.d, layer.m, layer.threads)
  }

  func check() -> [Comparison] { InvertedLayer.checkInverses(layer) }
}

/// The rows A_i v_i with those inverses: what every step of an optimizer does with them.
final class SymmetricMultiply<T: BenchScalar>: KernelBench {
  static var kernel: String { "symmetric_batch_multiply" }
  static var precision: Reference.Precision { T.precision }
  static var shapes: [Shape] { InvertedLayer<T>.shapes }

  private let layer: DampedLayer<T>
  private let inverted: fk_status
  private let work: Scratch

  init(_ shape: Shape, threads: Int32) {
    layer = DampedLayer(shape, threads: threads)
    let factored = layer.factorize()
    let status = T._kernels.choleskyBatchInverse(layer.factors.storage.pointer, layer.d, layer.m, threads)
    inverted = factored == FK_OK ? status : factored
    work = Scratch(T._kernels.symmetricBatchMultiplyWorkSize(layer.d, layer.m, threads))
  }

  var flops: Double { 2 * Double(layer.m) * Double(layer.d * layer.d) }
  var bytes: Double { layer.factors.bytes + 2 * layer.gradient.byteCount }

  func call() -> fk_status {
    if inverted != FK_OK { return inverted }
    return T._kernels.symmetricBatchMultiply(
      layer.direction.pointer, layer.d, layer.factors.storage.pointer, layer.gradient.pointer, layer.d, layer.d,
      layer.m, work.pointer, work.size, layer.threads)
  }

  func check() -> [Comparison] {
    let d = layer.d
    return layer.factors.sample(flops: Double(2 * d * d)).map { neuron in
      let row = neuron * d..<(neuron + 1) * d
      return .normwise(
        layer.direction[row],
        Reference.multiply(layer.factors.symmetric(neuron), layer.gradient[row], d: d),
        tolerance: Tolerance.product.relative(T.precision, terms: d))
    }
  }
}

private enum InvertedLayer<T: BenchScalar> {
  /// Shapes at which an explicit inverse is an option for every step.
  static var shapes: [Shape] {
    [Shape(d: 65, m: 80), Shape(d: 81, m: 80), Shape(d: 129, m: 80), Shape(d: 257, m: 256)]
  }

  /// A A^-1 is the identity, to the condition of the block times rounding.
  static func checkInverses(_ layer: DampedLayer<T>) -> [Comparison] {
    let d = layer.d
    return layer.undamped.sample(flops: Double(2 * d * d * d)).map { neuron in
      let damped = Reference.damped(layer.undamped.symmetric(neuron), d: d, damping: layer.damping)
      let condition = Reference.maximumNorm(damped) / layer.damping
      return .inverse(
        damped, layer.factors.symmetric(neuron), d: d,
        tolerance: condition * Tolerance.inverse.relative(T.precision, terms: d))
    }
  }
}
