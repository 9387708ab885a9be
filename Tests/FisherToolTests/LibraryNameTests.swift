import FisherKit
import Foundation
import Testing

@testable import FisherKitTool

/// What flags name is called as the library calls it.
@Suite struct LibraryNameTests {
  private let costs = MachineCosts(products: 1, grams: 1, factors: 1, solves: 1, bandwidth: 1, call: 1)

  @Test(arguments: OptimizerName.allCases) func optimizer(name: OptimizerName) throws {
    let options = try OptimizerOptions.parse(["--optimizer", name.rawValue])
    #expect(try options.make(batch: 50, costs: costs).name == name.rawValue)
  }

  @Test(arguments: MetricName.allCases) func metric(name: MetricName) throws {
    let options = try OptimizerOptions.parse(["--metric", name.rawValue])
    let optimizer = try #require(try options.make(batch: 50, costs: costs) as? RNGD<Float>)
    #expect(optimizer.metric.name == name.rawValue)
  }

  @Test(arguments: DampingRule.allCases) func damping(rule: DampingRule) throws {
    let options = try OptimizerOptions.parse(["--damping-rule", rule.rawValue])
    let optimizer = try #require(try options.make(batch: 50, costs: costs) as? RNGD<Float>)
    let usual = Damping.usual(rule.unit)
    #expect(optimizer.damping == (rule.isAdaptive ? .adaptive(from: usual) : usual))
    #expect(rule.rawValue.hasSuffix(rule.unit.rawValue) || rule.unit == .absolute)
  }

  /// A setting out of its range is refused by the library, in the flag's name.
  @Test func refusals() throws {
    for (flags, message) in [
      ("--metric projected --rank 0", "--rank: expected 1 or more, found 0"),
      ("--metric projected --rank 1.5", "--rank: expected a number in (0, 1], found 1.5"),
      ("--optimizer adam --l2 -1", "--l2: expected a number from 0 to 1e30, found -1.0"),
      ("--optimizer sgd --lr 0", "--learning-rate: expected a number from 1e-30 to 1e30, found 0.0"),
      ("--normalize-steps --trust-region 0", "--normalize-steps: expected a κ above 0, found 0.0"),
      ("--optimizer muon --momentum 1", "--momentum: expected a number in [0, 1), found 1.0"),
      ("--momentum -0.5", "--momentum: expected a number in [0, 1), found -0.5"),
      ("--optimizer adamw --weight-decay -1", "--weight-decay: expected a number from 0 to 1e30, found -1.0"),
      ("--optimizer sgd --graft adam", "--graft: expected --optimizer rngd, found sgd"),
      ("--optimizer adam --muon-scale rms", "--muon-scale: expected --optimizer muon, found adam"),
      ("--optimizer adam --muon-precision full", "--muon-precision: expected --optimizer muon, found adam"),
      ("--optimizer muon --muon-precision half", "'half' is invalid for '--muon-precision <name>'"),
      ("--nesterov", "--nesterov: expected --optimizer momentum, sgd or muon, or rngd with --momentum, found rngd"),
      ("--schedule cosin", "--schedule: schedule: expected constant, cosine"),
      ("--schedule warm-up+cosine", "a length for warm-up, such as warm-up:over=5%"),
      ("--damping-schedule cosine:to=x", "--damping-schedule: schedule, to of cosine: expected a number, found x"),
      ("--metric kernel --window-samples -3", "--window-samples: expected 1 or more, found -3"),
    ] {
      let error = #expect(throws: (any Error).self) { try OptimizerOptions.parse(flags.components(separatedBy: " ")) }
      #expect(error.map { OptimizerOptions.message(for: $0).contains(message) } == true, "\(flags)")
    }
  }
}
