extension Network {
  /// Forward and backward through a loss: the gradients of the mean loss of the mini-batch in ``input``, and its score before
  /// any step.
  public func gradients(_ loss: any Loss, targets: TargetBatch<Scalar>) -> Score {
    gradients { (z, delta, scale) in loss.sum(z, targets: targets, delta: &delta, scale: scale) }
  }

  /// The same through softmax and cross-entropy, for a class for each row.
  public func gradients(labels: Span<Int32>) -> Score {
    gradients { (z, delta, scale) in
      let (loss, correct) = z.crossEntropy(labels: labels, delta: &delta, scale: scale)
      return LossSum(loss: loss, correct: correct)
    }
  }

  private func gradients(
    _ judge: (_ z: borrowing Matrix<Scalar>, _ delta: inout Matrix<Scalar>, _ scale: Double) -> LossSum
  ) -> Score {
    let samples = samples
    demand(samples > 0, "a mini-batch has at least one sample")
    var (total, rows) = (LossSum(loss: 0), 0)
    profile.measure(.forward, passWork * Double(samples)) { forward { _ in } }
    profile.measure(.backward, passWork * Double(2 * samples)) {
      backward { z, delta in
        rows = z.rows
        total = judge(z, &delta, 1 / Double(samples))
      }
    }
    return Score(total, samples: samples, rows: rows)
  }

  /// What a sample takes in a forward pass: a multiplication and an addition for each weight.
  private var passWork: Work {
    var (weights, products) = (0, 0)
    for parameter in parameters {
      weights += parameter.neurons * parameter.order
      products += parameter.neurons * parameter.order * parameter.positions
    }
    return Work(
      products: 2 * Double(products), bytes: Double(weights * MemoryLayout<Scalar>.stride) / Double(samples))
  }

  /// The evaluation pass, ``predict(_:)``: the sum of the losses of the mini-batch in ``input``, and how many it
  /// classifies right.
  public func evaluate(labels: Span<Int32>) -> (loss: Double, correct: Int) {
    predict { logits in logits.crossEntropy(labels: labels) }
  }

  /// The same by any loss.
  public func evaluate(_ loss: any Loss, targets: TargetBatch<Scalar>) -> LossSum {
    predict { z in loss.sum(z, targets: targets) }
  }
}
