import FisherKit
import Testing

/// The state that a network starts in.
@Suite struct StartTests {
  /// Weights uniform in ±√(6/(inputs + neurons)), biases 0: of one input and one neuron 2,000 times, so that the limit
  /// shows.
  @Test func glorotUniform() throws {
    var generator = SeededGenerator(seed: 1, stream: .initialisation)
    let limit = 3.0.squareRoot()
    var weights: [Double] = []
    for _ in 0..<2000 {
      let parameter = try Parameter<Double>(name: "p", neurons: 1, order: 2, subsystem: nil)
      parameter.startGlorotUniform(using: &generator)
      weights.append(parameter.value[0, 0])
      #expect(parameter.value[0, 1] == 0)
    }
    #expect(weights.allSatisfy { abs($0) <= limit })
    #expect(weights.max()! > 0.99 * limit && weights.min()! < -0.99 * limit)
    // the mean of n such numbers has standard deviation limit / sqrt(3 n)
    #expect(abs(weights.reduce(0, +) / 2000) < 4 * limit / (3.0 * 2000).squareRoot())
  }

  /// A hard relu is measured as the smooth one, unless the caller says otherwise; the last layer is a softmax.
  @Test func subsystemsOfAPerceptron() throws {
    func activation(_ model: Sequential<Float>) -> String {
      (model.parameters[0].subsystem as? NonlinearLayer).map { "\($0.activation)" } ?? "none"
    }
    func model(_ forward: any Activation, _ metric: (any Activation)? = nil) throws -> Sequential<Float> {
      try Sequential<Float>.perceptron(
        shape: [3, 4, 2], activation: forward, metricActivation: metric, batchCapacity: 1)
    }
    #expect(activation(try model(Relu())) == "relu(ω=1.0)")
    #expect(activation(try model(try Relu(iota: 0.1))) == "relu(ι=0.1, ω=1.0)")
    #expect(activation(try model(try Relu(omega: 0.5))) == "relu(ω=0.5)")
    #expect(activation(try model(Relu(), try Relu(omega: 2))) == "relu(ω=2.0)")
    #expect(activation(try model(Tanh())) == "tanh")
    #expect(try model(Tanh()).parameters[1].subsystem is SoftmaxLayer)
  }
}
