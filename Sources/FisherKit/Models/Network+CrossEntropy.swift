/// A loss over some samples: the mean cross-entropy −log η_label in nats, and the fraction with the right class on top
/// (the first of equal ones).
public struct Score: Equatable, Sendable {
  public var loss: Double
  public var accuracy: Double

  public init(loss: Double, accuracy: Double) {
    self.loss = loss
    self.accuracy = accuracy
  }
}

extension Network {
  /// Forward and backward through softmax and cross-entropy: the gradients of the mean loss of the mini-batch in
  /// ``input``, and its score before any step.
  public func gradients(labels: Span<Int32>) -> Score {
    demand(input.rows > 0, "a mini-batch has at least one sample")
    var total = (loss: 0.0, correct: 0)
    let samples = Double(input.rows)
    profile.measure(.forward, passWork * samples) { forward { _ in } }
    profile.measure(.backward, passWork * (2 * samples)) {
      backward { logits, delta in total = logits.crossEntropy(labels: labels, delta: &delta, scale: 1 / samples) }
    }
    return Score(loss: total.loss / samples, accuracy: Double(total.correct) / samples)
  }

  /// What a sample takes in a forward pass: a multiplication and an addition for each weight.
  private var passWork: Work {
    var weights = 0
    for parameter in parameters { weights += parameter.neurons * parameter.order }
    return Work(
      products: 2 * Double(weights), bytes: Double(weights * MemoryLayout<Scalar>.stride) / Double(input.rows))
  }

  /// The evaluation pass, ``predict(_:)``: the sum of the losses of the mini-batch in ``input``, and how many it
  /// classifies right.
  public func evaluate(labels: Span<Int32>) -> (loss: Double, correct: Int) {
    predict { logits in logits.crossEntropy(labels: labels) }
  }
}
