import FisherKit
import Foundation

/// What the files of a report hold together, each run once.
struct RunFiles {
  var headers: [ExperimentHeader] = []
  var runs: [RunRecord] = []
  /// What was left out of them, to be told.
  var warnings: [String] = []
  private var known: [String: RunRecord] = [:]
  /// The flags of the runs of a network by an optimizer.
  private var recipes: [[String]: String] = [:]

  init(paths: [String]) throws(DataError) {
    let names = TrainingLog.names(of: paths)
    for (path, name) in zip(paths, names) { try read(path, name: name) }
  }

  private mutating func read(_ path: String, name: String) throws(DataError) {
    let lines = try LogLines(path: path)
    guard let first = lines.complete.first ?? lines.unfinished.map({ LogLine(path: path, number: 1, bytes: $0) }) else {
      throw DataError(path, expected: "runs of fisher experiment or of fisher train --log", found: "an empty file")
    }
    // A first line without its end may be an experiment's whose header is being written, or nothing at all.
    let kind = try first.decode(Kind.self, expected: "a line of JSON of an experiment or of a training log")
    if kind.kind == nil, kind.epoch != nil {
      add(try TrainingLog(lines, path: path).record(name: name))
      return
    }
    let before = runs.count
    var count = 0
    for line in lines.complete { count += try add(experimentLine: line) }
    if lines.unfinished != nil {
      warnings.append(
        "\(path):\(lines.complete.count + 1): expected a line that is finished, found one that is not; left out")
    }
    guard count > 0 || runs.count > before else { throw DataError(path, expected: "at least one run", found: "none") }
  }

  /// How many runs the line has, whether or not they were known.
  private mutating func add(experimentLine line: LogLine) throws(DataError) -> Int {
    let kind = try line.decode(Kind.self, expected: "a line of JSON of an experiment").kind
    switch kind {
    case "experiment":
      let header = try line.decode(ExperimentHeader.self, expected: "the header of an experiment")
      if !headers.contains(header) { headers.append(header) }
      return 0
    case "run":
      let run = try line.decode(RunRecord.self, expected: "a run of an experiment")
      try validate(run, line)
      try requireRecipe(of: run, line)
      if let other = known[run.arguments], !run.agrees(with: other) {
        warnings.append("\(line.place): expected the run that is known by these flags, found another; left out")
      }
      add(run)
      return 1
    default:
      throw line.error(expected: "a line of kind \"experiment\" or \"run\"", found: kind.map { "\"\($0)\"" } ?? "none")
    }
  }

  private mutating func add(_ run: RunRecord) {
    if known[run.arguments] != nil { return }
    known[run.arguments] = run
    runs.append(run)
  }

  /// Means are over runs that differ by their seed alone: names that mean one thing here and another there have none.
  private mutating func requireRecipe(of run: RunRecord, _ line: LogLine) throws(DataError) {
    let names = [run.network, run.optimizer]
    if let recipe = recipes[names], recipe != run.recipe {
      throw line.error(
        expected: "all runs of \(run.network) by \(run.optimizer) to be made by \"\(recipe)\"",
        found: "\"\(run.recipe)\"")
    }
    recipes[names] = run.recipe
  }

  private func validate(_ run: RunRecord, _ line: LogLine) throws(DataError) {
    guard !run.epochs.isEmpty || run.failure != nil else {
      throw line.error(expected: "a run with an epoch or a failure", found: "neither")
    }
    guard zip(run.epochs, run.epochs.dropFirst()).allSatisfy({ $0.epoch < $1.epoch }) else {
      throw line.error(expected: "epochs in order", found: "\(run.epochs.map(\.epoch))")
    }
    let counts = run.epochs.map(\.epoch) + run.divergences.map(\.epoch) + run.epochs.map(\.step)
    let isPossible =
      counts.allSatisfy { (0...1_000_000_000_000).contains($0) }
      && (0...1_000_000_000_000).contains(run.dampingEvents) && run.memoryBytes >= 0
    guard isPossible else { throw line.error(expected: "counts that can be", found: "others") }
  }

  /// What tells a line of an experiment from one of a training log.
  private struct Kind: Decodable {
    var kind: String?
    var epoch: Int?
  }
}

extension RunRecord {
  /// Whether it came to the same, whatever the clock said.
  fileprivate func agrees(with other: RunRecord) -> Bool {
    var (one, two) = (self, other)
    for i in one.epochs.indices { one.epochs[i].seconds = 0 }
    for i in two.epochs.indices { two.epochs[i].seconds = 0 }
    return one == two
  }
}
