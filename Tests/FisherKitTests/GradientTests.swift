import FisherKit
import FisherKitTestSupport
import Testing

/// Derivatives against central differences, in double.
@Suite struct GradientTests {
  private let h = 1e-6

  @Test(arguments: try activations.indices)
  func derivativeOfActivation(index: Int) throws {
    let activation = try activations[index]
    for z in stride(from: -4.05, through: 4.05, by: 0.3) {
      let difference = (activation.value(at: z + h) - activation.value(at: z - h)) / (2 * h)
      #expect(abs(activation.derivative(at: z) - difference) < 1e-8, "\(activation) at z = \(z)")
    }
  }

  @Test(arguments: try activations.indices)
  func gradientsOfNetwork(index: Int) throws {
    let activation = try activations[index]
    for samples in [1, 9] {
      let (model, labels) = try smallNetwork(Double.self, activation: activation, samples: samples)
      let score = model.gradients(labels: labels.span)
      let loss = model.evaluate(labels: labels.span).loss / Double(samples)
      #expect(abs(score.loss - loss) < 1e-14)
      for parameter in model.parameters {
        for i in 0..<parameter.neurons {
          for j in 0..<parameter.order {
            let expected = try difference(model, parameter, i, j, labels)
            let found = parameter.gradient[i, j]
            #expect(
              abs(found - expected) < 2e-9,
              "\(activation), \(samples) samples, \(parameter.name), weight (\(i), \(j)): \(found), expected \(expected)"
            )
          }
        }
      }
    }
  }

  private func difference(
    _ model: Sequential<Double>, _ parameter: Parameter<Double>, _ i: Int, _ j: Int, _ labels: [Int32]
  ) throws -> Double {
    let weight = parameter.value[i, j]
    parameter.value[i, j] = weight + h
    let above = model.evaluate(labels: labels.span).loss
    parameter.value[i, j] = weight - h
    let below = model.evaluate(labels: labels.span).loss
    parameter.value[i, j] = weight
    return (above - below) / (2 * h) / Double(labels.count)
  }

  /// A mini-batch smaller than the one before it leaves nothing of that behind.
  @Test func smallerBatchAfterLarger() throws {
    let (model, _) = try smallNetwork(Double.self, samples: 9)
    var generator = SplitMix64(seed: 5)
    let many = try fill(model, samples: 9, using: &generator)
    _ = model.gradients(labels: many.span)
    let few = try fill(model, samples: 4, using: &generator)
    let input = model.input.elements
    _ = model.gradients(labels: few.span)

    let (fresh, _) = try smallNetwork(Double.self, samples: 4)
    fresh.input.assign(input)
    _ = fresh.gradients(labels: few.span)
    for (a, b) in zip(model.parameters, fresh.parameters) { #expect(a.gradient.elements == b.gradient.elements) }
  }
}
