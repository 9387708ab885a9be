import FisherKit
import Testing

@Suite struct SeededGeneratorTests {
  @Test func streamsDiffer() {
    var seen: Set<UInt64> = []
    for seed in [UInt64(0), 1, .max] {
      for stream in [SeededGenerator.Stream.initialisation, .shuffling, .synthesis] {
        var generator = SeededGenerator(seed: seed, stream: stream)
        var again = SeededGenerator(seed: seed, stream: stream)
        for _ in 0..<100 {
          let number = generator.next()
          #expect(number == again.next())
          #expect(seen.insert(number).inserted)
        }
      }
    }
  }

  /// Bits that later versions must not change: runs are repeated by their seeds.
  @Test func numbersAreFixed() {
    var generator = SeededGenerator(seed: 0, stream: .initialisation)
    #expect(
      (0..<3).map { _ in generator.next() } == [
        17_393_240_832_000_593_394, 8_895_555_035_641_474_839, 4_381_024_153_620_831_028,
      ])
  }

  @Test func uniformAndNormal() {
    var generator = SeededGenerator(seed: 3)
    let uniform = (0..<20_000).map { _ in generator.uniform() }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(uniform.reduce(0, +) / 20_000 - 0.5) < 0.01)
    let normal = (0..<20_000).map { _ in generator.normal() }
    #expect(abs(normal.reduce(0, +) / 20_000) < 0.03)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 20_000 - 1) < 0.05)
  }

  @Test(arguments: [1, 2, 3, 7, 10])
  func bounded(bound: Int) {
    var generator = SeededGenerator(seed: 3)
    var counts = Array(repeating: 0, count: bound)
    for _ in 0..<10_000 { counts[generator.uniform(below: bound)] += 1 }
    for count in counts { #expect(abs(Double(count) - 10_000 / Double(bound)) < 400) }
  }

  @Test func shuffles() {
    var generator = SeededGenerator(seed: 3, stream: .shuffling)
    for count in [0, 1, 2, 100] {
      var numbers = Array(0..<count)
      generator.shuffle(&numbers)
      #expect(numbers.sorted() == Array(0..<count))
      #expect(count < 100 || numbers != Array(0..<count))
    }
    // Each of the six orders of three, about as often.
    var orders: [[Int]: Int] = [:]
    for _ in 0..<6000 {
      var numbers = [0, 1, 2]
      generator.shuffle(&numbers)
      orders[numbers, default: 0] += 1
    }
    #expect(orders.count == 6 && orders.values.allSatisfy { abs($0 - 1000) < 150 })
  }
}
