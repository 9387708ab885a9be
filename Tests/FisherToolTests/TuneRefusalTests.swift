import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// What `fisher tune` does not take, and the settings that it draws.
@Suite struct TuneRefusalTests {
  @Test func commandLines() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for (flags, expected) in [
      ([], "--budget"), (["--budget", "0"], "--budget: expected a number of seconds above 0"),
      (["--budget", "nan"], "--budget"), (["--budget", "-3"], "--budget"),
      (["--budget", "9", "--trials", "1"], "--trials: expected 2 to 1000, found 1"),
      (["--budget", "9", "--epochs", "0"], "--epochs: expected 1 or more"),
      (["--budget", "9", "--threads", "0"], "--threads: expected 1 to"),
      (["--budget", "9", "--tune", "rate"], "found rate"),
      (["--budget", "9", "--tune", "rank", "--optimizer", "sgd"], "mean something to --optimizer sgd, found rank"),
      (["--budget", "9", "--tune", "rank", "--metric", "exact"], "--optimizer rngd, --metric exact, found rank"),
      (["--budget", "9", "--tune", "batch,learning-rate", "--lr", "3"], "found learning-rate beside --lr"),
      (["--budget", "9", "--optimizer", "sgd", "--lr=3", "--batch", "9"], "found flags for all of it"),
      (["--budget", "9", "--objective", "speed"], "--objective: expected validation-loss"),
      (["--budget", "9", "--objective", "time-to"], "--objective: expected"),
      (["--budget", "9", "--objective", "time-to", "fast"], "found time-to fast"),
      (["--budget", "9", "--save", "m"], "--save: expected none in fisher tune"),
      (["--budget", "9", "--stop-early=2"], "--stop-early: expected none"),
      (["--budget", "9", "--optimizer", "sdg"], "sdg"), (["--budget", "9", "--bugdet", "3"], "--bugdet"),
      (["--budget", "9", "--optimizer", "sgd", "--damping", "1"], "--damping: expected --optimizer rngd"),
      (["--budget", "9", "--log", ""], "--log: expected a file name"),
      (["--budget", "9", "--data", "a folder", "--out", folder.file("f")], "found \"a folder\""),
      (["--budget", "9", "--out", folder.file("none/f")], "--out: "),
      (["--budget", "0.001", "--optimizer", "sgd"], "seconds or more for 9 trials of this network"),
    ] {
      let result = try Tool.run(["tune", "--quiet"] + flags)
      #expect(result.status == 64 && result.output.isEmpty, "\(flags): \(result)")
      #expect(result.errors.count { $0 == "\n" } == 1 && result.errors.contains(expected), "\(flags): \(result)")
    }
    #expect(folder.contents.isEmpty)
  }

  /// Data that nobody could train by.
  @Test func data() throws {
    let folder = try Scratch()
    defer { folder.remove() }
    for flags in [["--data", folder.file("none")], ["--shape", "65,10"]] {
      let result = try Tool.run(["tune", "--quiet", "--budget", "5", "--log", folder.file("log")] + flags)
      let train = try Tool.run(["train", "--quiet"] + flags)
      #expect(result.status == 65 && result.errors == train.errors, "\(result), \(train)")
    }
    #expect(folder.contents.isEmpty)
  }

  private let sampler = TuneSampler(
    quantities: TuneQuantity.allCases, rates: 0.001...1, rateFactor: { Double($0) / 50 }, usualDamping: 0.016,
    batches: TuneSampler.batches(samples: 10_000))

  @Test func draws() throws {
    let list = sampler.draw(200, seed: 5)
    #expect(list.count == 200 && Set(list).count == 200 && list[0] == TuneSettings())
    #expect(sampler.draw(27, seed: 5) == Array(list.prefix(27)) && sampler.draw(200, seed: 6) != list)
    for settings in list.dropFirst() {
      let batch = try #require(settings.batch), rate = try #require(settings.learningRate)
      #expect((0.00099...1.01).contains(rate * 50 / Double(batch)) || batch == 16, "\(settings)")
      #expect(TuneSampler.batchSizes.contains(batch) && batch <= 1024)
      #expect((1.5e-4...1.7).contains(try #require(settings.damping)))
      #expect(TuneSampler.trustRegions.contains(try #require(settings.trustRegion)))
    }
    // Each decade has its share.
    let low = list.dropFirst().count { ($0.damping ?? 1) < 0.016 }
    #expect((70...130).contains(low))
    // One quantity less leaves the others as they are; and of a few there are no more than there are.
    var fewer = sampler
    fewer.quantities = [.batch, .damping]
    #expect(fewer.draw(9, seed: 5).map(\.damping) == list.prefix(9).map(\.damping))
    fewer.quantities = [.batch]
    #expect(Set(fewer.draw(27, seed: 5).map(\.batch)).count == 8 && fewer.draw(27, seed: 5).count == 8)
  }

  @Test func batches() {
    #expect(TuneSampler.batches(samples: 50_000).last == 1024 && TuneSampler.batches(samples: 600).last == 64)
    #expect(TuneSampler.batches(samples: 10) == [10])
  }

  /// What means something to whom, and the flags of a trial.
  @Test func quantities() throws {
    func flags(_ text: String, _ tuned: [TuneQuantity]? = nil) throws -> TuneFlags {
      try TuneFlags(words: splitWords(text), tuned: tuned, epochs: nil, threads: nil, seed: nil)
    }
    #expect(try flags("").quantities == TuneQuantity.allCases)
    #expect(try flags("--optimizer adam").quantities == [.learningRate, .batch])
    #expect(try flags("--metric exact --batch 20").quantities == [.learningRate, .damping, .trustRegion])
    #expect(try flags("--lr=1 --rank 8 --trust-region 0").quantities == [.damping, .batch])
    var settings = TuneSettings()
    (settings.learningRate, settings.damping) = (1e-5, 0.5)
    #expect(try flags("").text(of: settings) == "--learning-rate 1e-05 --damping-rule norm --damping 0.5")
    #expect(try flags("--damping-rule adaptive").text(of: settings) == "--learning-rate 1e-05 --damping 0.5")
    let training = try flags("--damping-rule adaptive").training(settings, seed: 3)
    #expect(training.optimizer.natural.damping == 0.5 && training.schedule.seed == 3)
    #expect(try flags("").text(of: TuneSettings()) == "the defaults")
  }
}
