import FisherKit
import FisherKitTestSupport
import Testing

/// Values are looked at from several tasks at once, and trainers in several tasks know nothing of each other.
@Suite struct ConcurrencyTests {
  private static func values() throws -> [(name: String, value: any RFIM<Float>)] {
    var generator = SplitMix64(seed: 12)
    let (n, d, m) = (40, 6, 5)
    let x = try Matrix<Float>.make(generator.samples(n: n, d: d), rows: n, columns: d)
    let z = try Matrix<Float>.make(generator.normal(n * m), rows: n, columns: m)
    let c = try Matrix<Float>.make(generator.normal(3 * (m + 1)), rows: 3, columns: m + 1)
    return [
      ("neurons", try NonlinearLayer(Tanh()).rfim(inputs: x, preactivations: z)),
      ("shared", try LinearLayer().rfim(inputs: x, preactivations: z)),
      ("softmax", try SoftmaxLayer().rfim(inputs: x, preactivations: z)),
      ("channels", try BatchNorm().rfim(inputs: z, preactivations: z)),
      (
        "two layers",
        try TwoLayers(hidden: Tanh(), outer: SoftmaxLayer()).rfim(inputs: x, preactivations: z, outerWeights: c)
      ),
    ]
  }

  /// Everything that a value can be asked for, as numbers.
  private static func look(_ value: any RFIM<Float>, seed: UInt64) throws -> [Double] {
    try numbers(value, seed: seed)
  }

  private static func numbers<V: RFIM<Float>>(_ value: V, seed: UInt64) throws -> [Double] {
    var generator = SplitMix64(seed: seed)
    let v = generator.normal(value.neurons * value.order)
    var product = try Matrix<Float>(rows: value.neurons, columns: value.order)
    try value.multiply(&product, .make(v, rows: value.neurons, columns: value.order))
    var solution = try Matrix<Float>.make(v, rows: value.neurons, columns: value.order)
    try value.solve(&solution, damping: 0.05)
    return product.numbers + solution.numbers + (try value.dense().numbers) + (try value.block(1, 0).numbers)
      + [try value.trace()]
  }

  @Test func valuesInManyTasks() async throws {
    for (name, value) in try Self.values() {
      let alone = try (0..<6).map { try Self.look(value, seed: UInt64($0)) }
      let together = try await withThrowingTaskGroup(of: (Int, [Double]).self) { group in
        for task in 0..<6 {
          group.addTask {
            var found: [Double] = []
            for _ in 0..<20 { found = try Self.look(value, seed: UInt64(task)) }
            return (task, found)
          }
        }
        return try await group.reduce(into: [Int: [Double]]()) { $0[$1.0] = $1.1 }
      }
      for task in 0..<6 { #expect(together[task] == alone[task], "\(name), task \(task)") }
    }
  }

  private static func train(_ seed: UInt64, data: DataSplit) throws -> [Double] {
    let model = try Sequential<Float>.perceptron(
      shape: [data.width, 12, data.classes], activation: Tanh(), batchCapacity: 50, seed: seed)
    let metric: any Metric = seed == 0 ? ExactMetric() : ProjectedMetric(rank: .fixed(8))
    let trainer = try Trainer(
      model: model, optimizer: try RNGD<Float>(metric: metric), data: data, batchSize: 50, seed: seed)
    var losses: [Double] = []
    try trainer.run(epochs: 2) { if case .step(_, _, _, let loss) = $0 { losses.append(loss) } }
    return losses
  }

  @Test func trainersInTasks() async throws {
    let data = try SyntheticData.make(training: 1_000, validation: 100, test: 100)
    let alone = try (0..<2).map { try Self.train(UInt64($0), data: data) }
    async let first = Self.train(0, data: data)
    async let second = Self.train(1, data: data)
    let together = try await [first, second]
    #expect(together == alone)
  }
}
