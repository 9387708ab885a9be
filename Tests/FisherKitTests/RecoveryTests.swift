import FisherKitTestSupport
import Testing

@testable import FisherKit

/// When a run has gone astray, and what is put back.
@Suite struct RecoveryTests {
  private func watch() throws -> (Sequential<Double>, RecoveryWatch<Double>) {
    let (model, _) = try smallNetwork(Double.self)
    return (model, try RecoveryWatch(model: model, batchSize: 50))
  }

  /// An average over ten mini-batches, above three times what it was at the good weights and more than the first.
  @Test func explosions() throws {
    for (loss, expected) in [(100.0, 2), (4.5, 19), (3.9, nil), (.greatestFiniteMagnitude, 2)] as [(Double, Int?)] {
      let (model, watch) = try watch()
      for _ in 1...100 { #expect(!watch.note(loss: 1, of: model)) }
      let found = (1...200).first { _ in watch.note(loss: loss, of: model) }
      #expect(found == expected, "loss \(loss): \(String(describing: found))")
    }
    // One mini-batch that is bad is none, however bad it is.
    for bad in [20.0, 1e9, .greatestFiniteMagnitude] {
      let (model, watch) = try watch()
      for step in 1...300 { #expect(!watch.note(loss: step % 20 == 0 ? bad : 1, of: model), "step \(step)") }
    }
  }

  /// A loss may be negative all the time, or become so: it explodes when it rises by several times its size.
  @Test func lossesBelowZero() throws {
    for (loss, expected) in [(-2.0, nil), (-0.9, nil), (3.5, nil), (30, 4), (1e9, 4)] as [(Double, Int?)] {
      let (model, watch) = try watch()
      for step in 1...200 { #expect(!watch.note(loss: -2 - 0.001 * Double(step), of: model), "step \(step)") }
      let found = (1...200).first { _ in watch.note(loss: loss, of: model) }
      #expect(found == expected, "loss \(loss): \(String(describing: found))")
      #expect(loss > 0 || watch.recentLoss > -2.3)
    }
    let (model, watch) = try watch()
    for step in 1...300 { #expect(!watch.note(loss: 3 - 0.02 * Double(step), of: model), "step \(step)") }
    // Weights are kept as long as it is not half worse.
    func kept(after loss: Double) throws -> Bool {
      let (model, watch) = try self.watch()
      for _ in 1...100 { _ = watch.note(loss: -2, of: model) }
      model.parameters[1].value[2, 3] = 7
      for _ in 1...50 { _ = watch.note(loss: loss, of: model) }
      watch.goBack(model)
      return model.parameters[1].value[2, 3] == 7
    }
    #expect(try kept(after: -1.9))
    #expect(try kept(after: -1.2))
    #expect(try !kept(after: -0.8))
  }

  /// Weights are kept every 50 mini-batches, where the loss is no worse and they are numbers.
  @Test func theLastGoodWeights() throws {
    let (model, watch) = try watch()
    func set(_ value: Double) { model.parameters[1].value[2, 3] = value }
    var back: [Double] = []
    func goBack() {
      watch.goBack(model)
      back.append(model.parameters[1].value[2, 3])
    }
    set(1)
    for _ in 1...49 { _ = watch.note(loss: 1, of: model) }
    goBack()
    set(2)
    for _ in 1...50 { _ = watch.note(loss: 1, of: model) }
    set(3)
    goBack()
    for _ in 1...40 { _ = watch.note(loss: 1, of: model) }
    set(4)
    for _ in 1...10 { _ = watch.note(loss: 5, of: model) }
    goBack()
    set(.nan)
    for _ in 1...50 { _ = watch.note(loss: 1, of: model) }
    goBack()
    #expect(back[1...] == [2, 2, 2] && back[0] != 1 && watch.timesBack == 4)
  }

  /// Weights are good up to half above the loss of the last good ones, and what is kept then is what the next are judged by.
  @Test func goodEnough() throws {
    for (loss, expected) in [(1.4, 2.0), (1.6, 1)] {
      let (model, watch) = try watch()
      func set(_ value: Double) { model.parameters[1].value[2, 3] = value }
      set(1)
      for _ in 1...50 { _ = watch.note(loss: 1, of: model) }
      set(2)
      // (long enough for the average to have arrived)
      for _ in 1...100 { #expect(!watch.note(loss: loss, of: model)) }
      set(3)
      watch.goBack(model)
      #expect(model.parameters[1].value[2, 3] == expected, "loss \(loss)")
    }
  }

  /// Five mini-batches in a row, or weights that are no numbers.
  @Test func batchesLeftOut() throws {
    let (model, watch) = try watch()
    #expect((1...4).allSatisfy { _ in !watch.noteLeftOut(of: model) })
    _ = watch.note(loss: 1, of: model)
    #expect((1...5).map { _ in watch.noteLeftOut(of: model) } == [false, false, false, false, true])
    watch.goBack(model)
    model.parameters[0].value[0, 0] = .infinity
    #expect(watch.noteLeftOut(of: model))
  }

  /// Features far above unit scale start smaller weights, where nothing was learned yet.
  @Test func featureScales() throws {
    let data = try FaultRun.data(seed: 3) { _, x in
      x[2] *= 1000
      x[4] += 50
    }
    func model(_ change: (Sequential<Float>) -> Void = { _ in }) throws -> (
      before: [Double], after: [Double], rescaled: Int
    ) {
      let model = try Sequential<Float>.perceptron(shape: [6, 4, 3], activation: Tanh(), batchCapacity: 10, seed: 2)
      change(model)
      let before = model.parameters[0].value.numbers
      let trainer = try Trainer(model: model, optimizer: try SGD(learningRate: 1), data: data, batchSize: 10)
      let after = model.parameters[0].value.numbers
      // (once is enough)
      _ = try Trainer(model: model, optimizer: try SGD(learningRate: 1), data: data, batchSize: 10)
      let again = model.parameters[0].value.numbers
      #expect(again == after)
      return (before, after, trainer.plan.rescaledFeatures)
    }
    let (before, after, rescaled) = try model()
    #expect(rescaled == 2)
    guard case .floats(let numbers) = data.samples.features else { return }
    for k in before.indices {
      var expected = before[k]
      if k % 7 < 6 {
        let squares = data.training.reduce(0.0) {
          $0 + Double(numbers[$1 * 6 + k % 7]) * Double(numbers[$1 * 6 + k % 7])
        }
        let root = (squares / Double(data.training.count)).squareRoot()
        if root > 3 { expected /= root }
      }
      #expect(abs(after[k] - expected) <= 1e-6 * abs(expected), "weight \(k)")
    }
    let touched = try model { $0.parameters[0].value[0, 0] += 1e-3 }
    #expect(touched.after == touched.before && touched.rescaled == 0)
  }
}
