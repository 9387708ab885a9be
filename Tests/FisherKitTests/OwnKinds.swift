import Foundation
import FisherKitTestSupport

@testable import FisherKit

/// An activation of a user's own that can be made again.
struct ScaledTanh: Activation {
  let scale: Double
  let name = "scaled tanh"
  let output = NeuronOutput.gaussian
  init(scale: Double) { self.scale = scale }
  init?(parameters: [String: Double]) {
    guard parameters.count == 1, let scale = parameters["scale"] else { return nil }
    self.init(scale: scale)
  }
  var parameters: [String: Double] { ["scale": scale] }
  func value(at z: Double) -> Double { scale * tanh(z) }
  func derivative(at z: Double) -> Double { scale * Tanh().derivative(at: z) }
}

/// One that calls itself as a built-in one does.
struct FalseRelu: Activation {
  let name = "relu"
  let output = NeuronOutput.gaussian
  init() {}
  init?(parameters: [String: Double]) { self.init() }
  func value(at z: Double) -> Double { z }
  func derivative(at z: Double) -> Double { 1 }
}

/// y = s · x for each channel, a layer of a user's own with a number that it counts besides.
final class Scaling<Scalar: KernelScalar>: KeepableLayer {
  let channels: Int
  let gain: Double
  let words: [String]
  let scales: Parameter<Scalar>
  var passes: UInt64

  init(channels: Int, gain: Double, words: [String] = ["a"], passes: UInt64 = 0, name: String = "scaling") throws {
    (self.channels, self.gain, self.words, self.passes) = (channels, gain, words, passes)
    scales = try Parameter(name: name, neurons: 1, order: channels, subsystem: nil)
    scales.value.fill(with: Scalar(gain))
  }

  var inputExtent: Extent { Extent(channels: channels) }
  var outputExtent: Extent { inputExtent }
  var takesBias: Bool { false }
  var parameters: [Parameter<Scalar>] { [scales] }
  var bytes: Int { scales.bytes }
  func prepare(batchCapacity: Int) {}
  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {
    output.resize(rows: input.rows)
    for i in 0..<input.rows { for j in 0..<channels { output[i, j] = scales.value[0, j] * input[i, j] } }
  }
  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}
  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {}
  func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}

  struct Settings: Codable {
    var gain: Double
    var words: [String]
    var passes: UInt64
  }
  static var kind: String { "scaling" }
  func settings(place: String) -> Settings { Settings(gain: gain, words: words, passes: passes) }
  static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] { [.init("scales", [record.inputs])] }
  func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    try tensors.exchange("scales", &scales.value)
  }
  convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    try self.init(
      channels: kept.record.inputs, gain: settings.gain, words: settings.words, passes: settings.passes,
      name: kept.record.name ?? "")
  }
}

/// Calls itself as a built-in one does.
final class FalseDense<Scalar: KernelScalar>: KeepableLayer {
  static var kind: String { "dense" }
  let inputExtent = Extent(channels: 2)
  let outputExtent = Extent(channels: 2)
  var parameters: [Parameter<Scalar>] { [] }
  var bytes: Int { 0 }
  init() {}
  init(_ kept: KeptLayer<Scalar>, settings: NoSettings) {}
  func prepare(batchCapacity: Int) {}
  func forward(_ input: borrowing Matrix<Scalar>, into output: inout Matrix<Scalar>) {}
  func backward(_ delta: inout Matrix<Scalar>, input: borrowing Matrix<Scalar>) {}
  func propagate(_ delta: borrowing Matrix<Scalar>, into inputDelta: inout Matrix<Scalar>) {}
  func observe(input: borrowing Matrix<Scalar>, _ body: ObservationBody<Scalar>) {}
}
