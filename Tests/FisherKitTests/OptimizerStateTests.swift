import FisherKitTestSupport
import Testing

@testable import FisherKit

/// Optimizers and what a run keeps beside them go on from what was saved, bit by bit.
@Suite struct OptimizerStateTests {
  /// A model with its optimizer and its watch.
  private final class Run: State {
    let model: Sequential<Double>
    let optimizer: any Optimizer<Double>
    let watch: RecoveryWatch<Double>

    init(_ optimizer: any Optimizer<Double>, seed: UInt64) throws {
      model = try smallNetwork(Double.self, seed: seed).model
      self.optimizer = optimizer
      try optimizer.prepare(for: model, batchSize: 9)
      watch = try RecoveryWatch(model: model, batchSize: 9)
    }

    func visit(_ visitor: StateVisitor) throws {
      for parameter in model.parameters { try visitor.child(parameter.name, parameter) }
      try visitor.child("optimizer", optimizer)
      try visitor.child("watch", watch)
    }

    /// - Returns: whether the watch saw an explosion.
    func step(_ generator: inout SplitMix64, loss scale: Double = 1) throws -> Bool {
      let labels = try fill(model, samples: 9, using: &generator)
      let score = model.gradients(labels: labels.span)
      _ = try optimizer.step(model)
      return watch.note(loss: scale * score.loss, of: model)
    }

    var weights: [[[Double]]] {
      var weights: [[[Double]]] = []
      for parameter in model.parameters { weights.append(parameter.value.elements) }
      return weights
    }
  }

  private static func optimizer(_ index: Int) throws -> any Optimizer<Double> {
    switch index {
    case 0: try SGD(learningRate: 0.1, decay: .l2(1e-3))
    case 1: try Momentum(learningRate: 0.1)
    default: try Adam(learningRate: 0.01)
    }
  }

  @Test(arguments: 0...2) func goesOn(index: Int) throws {
    let one = try Run(try Self.optimizer(index), seed: 1)
    var generator = SplitMix64(seed: 2)
    for _ in 1...60 { _ = try one.step(&generator) }
    one.optimizer.learningRate /= 2
    one.watch.goBack(one.model)
    for _ in 1...5 { _ = try one.step(&generator) }
    _ = one.watch.noteLeftOut(of: one.model)
    let saved = try SavedState(of: one)
    let other = try Run(try Self.optimizer(index), seed: 7)
    #expect(other.weights != one.weights)
    try saved.restore(other)
    #expect(try SavedState(of: other) == saved && other.weights == one.weights)
    #expect(other.optimizer.learningRate == one.optimizer.learningRate)
    #expect(other.watch.timesBack == 1 && other.watch.leftOutInARow == 1)
    var same = generator
    for step in 1...40 {
      // (from the 20th on the losses explode)
      let scale = step < 20 ? 1.0 : 1e6
      #expect(try one.step(&generator, loss: scale) == other.step(&same, loss: scale), "step \(step)")
    }
    #expect(one.weights == other.weights)
    one.watch.goBack(one.model)
    other.watch.goBack(other.model)
    #expect(one.weights == other.weights)
    #expect(try SavedState(of: one) == SavedState(of: other))
  }

  /// The state of one kind is not another's, nor of another network.
  @Test func ofAnotherKind() throws {
    let saved = try SavedState(of: try Run(try Self.optimizer(2), seed: 1))
    let momentum = try Run(try Self.optimizer(1), seed: 1)
    let before = momentum.weights
    let error = failure(of: { try saved.restore(momentum) }) as? StateError
    #expect(error?.place == "optimizer/velocity/0" && error?.found == "nothing of that name")
    #expect(momentum.weights == before)
    let unprepared: any Optimizer<Double> = try Self.optimizer(2)
    let left = failure(of: { try SavedState(of: try Run(try Self.optimizer(2), seed: 1).optimizer).restore(unprepared) }
    )
    #expect((left as? StateError)?.expected == "nothing of that name")
  }

  @Test func aScheduleUnderWay() throws {
    let schedule = RefreshSchedule(interval: 16, isSpread: true, drift: 0.1)
    var (one, other) = (RefreshClock(schedule, layers: 3), RefreshClock(schedule, layers: 3))
    func dues(_ clock: inout RefreshClock, _ steps: ClosedRange<Int>) -> [String] {
      var found: [String] = []
      for step in steps {
        for layer in 0..<3 where clock.isDue(layer, step: step) {
          clock.refreshed(layer, step: step)
          if layer == 2 { clock.note(drift: 0.01) }
          found.append("layer \(layer) at \(step)")
        }
      }
      return found
    }
    _ = dues(&one, 1...20)
    one.restart(after: 20)
    _ = dues(&one, 21...70)
    one.expedite(1, step: 70)
    try SavedState(of: Holder(one)).restore(Holder(other) { other = $0 })
    #expect(other.interval == one.interval && one.interval > 16)
    #expect(dues(&one, 71...400) == dues(&other, 71...400))
    let error = failure(of: {
      try SavedState(of: Holder(one)).restore(Holder(RefreshClock(schedule, layers: 2)))
    })
    #expect((error as? StateError)?.found == "a list of int64, 3")
  }

  /// A value in an object.
  private final class Holder<Value: StateValue>: State {
    private var value: Value
    private let take: (Value) -> Void

    init(_ value: Value, _ take: @escaping (Value) -> Void = { _ in }) { (self.value, self.take) = (value, take) }

    func visit(_ visitor: StateVisitor) throws {
      try visitor.value("value", &value)
      if visitor.isRestoring { take(value) }
    }
  }

  @Test func anAdaptedDamping() throws {
    let (one, other) = (SiteDamping(.adaptive(from: 0.1)), SiteDamping(.adaptive(from: 0.1)))
    for _ in 1...3 { one.adapt(to: 0.1) }
    try SavedState(of: one).restore(other)
    #expect(other.factor == one.factor && one.factor > 3)
  }
}
