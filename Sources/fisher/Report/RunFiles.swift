import FisherKit
import Foundation

/// What the files of a report hold together, each run once.
struct RunFiles {
  var headers: [ExperimentHeader] = []
  var runs: [RunRecord] = []
  var events: [RunEvents] = []
  /// What was left out of them, to be told.
  var warnings: [String] = []
  private var known: [String: RunRecord] = [:]
  /// Of the first training log that says it.
  private var loss: String?
  /// The flags of the runs of a network by an optimizer.
  private var recipes: [[String]: String] = [:]

  init(paths: [String]) throws(DataError) {
    let paths = Self.distinct(paths)
    for (path, name) in zip(paths, TrainingLog.names(of: paths)) {
      try add(try LogLines(path: path), path: path, name: name)
    }
  }

  init() {}

  /// Each file once, however often and by whatever spellings or links it is named.
  private static func distinct(_ paths: [String]) -> [String] {
    var known: Set<[UInt64]> = []
    return paths.filter { path in
      var status = stat()
      guard stat(path, &status) == 0 else { return true }
      return known.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted
    }
  }

  /// - Parameter name: what a training log's run is to be called.
  mutating func add(_ lines: LogLines, path: String, name: String) throws(DataError) {
    guard let first = lines.complete.first ?? lines.unfinished else {
      throw DataError(path, expected: "runs of fisher experiment or of fisher train --log", found: "an empty file")
    }
    let expected = "a line of JSON of an experiment or of a training log"
    // A first line without its end may be an experiment's whose header is being written, or nothing at all.
    var kind = try first.decode(LineKind.self, expected: expected)
    // (events come before the first epoch too)
    for line in lines.complete where kind.hasEvent { kind = try line.decode(LineKind.self, expected: expected) }
    if kind.kind == TrainingHeader.kind || kind.kind == nil && (kind.epoch != nil || kind.hasEvent) {
      let log = try TrainingLog(lines, path: path, name: name)
      try requireLoss(of: log, path: path)
      add(log.record)
      add(log.events)
      warnings += log.warnings
      return
    }
    var count = 0
    var events = RunEvents(run: name)
    for line in lines.complete { count += try add(experimentLine: line, &events) }
    add(events)
    if let unfinished = lines.unfinished { warnings.append(unfinished.leftOut) }
    guard count > 0 else { throw DataError(path, expected: "at least one run", found: "none") }
  }

  /// Losses of different kinds are not to be ranked.
  private mutating func requireLoss(of log: TrainingLog, path: String) throws(DataError) {
    guard let found = log.loss else { return }
    if let loss, loss != found {
      throw DataError(path, expected: "a log of the \(loss) loss, as those before it", found: found)
    }
    loss = found
  }

  private mutating func add(_ events: RunEvents) {
    if !events.kinds.isEmpty { self.events.append(events) }
  }

  /// How many runs the line has, whether or not they were known.
  private mutating func add(experimentLine line: LogLine, _ events: inout RunEvents) throws(DataError) -> Int {
    let kind = try line.decode(LineKind.self, expected: "a line of JSON of an experiment")
    if kind.hasEvent {
      events.add(try line.decode(RunEvents.Line.self, expected: "an event of an experiment"))
      return 0
    }
    switch kind.kind {
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
      throw line.error(
        expected: "a line of kind \"experiment\" or \"run\"", found: kind.kind.map { "\"\($0)\"" } ?? "none")
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
    for (name, member) in [("train_error", \RunRecord.Epoch.trainError), ("validation_accuracy", \.validationAccuracy)]
    where run.epochs.contains(where: { $0[keyPath: member] == nil }) {
      throw line.error(expected: "a run of an experiment", found: "none of its \"\(name)\"")
    }
    guard zip(run.epochs, run.epochs.dropFirst()).allSatisfy({ $0.epoch < $1.epoch }) else {
      throw line.error(expected: "epochs in order", found: "\(run.epochs.map(\.epoch))")
    }
    let counts = run.divergences.map(\.epoch) + [run.dampingEvents]
    let isPossible =
      run.epochs.allSatisfy(\.isPossible) && counts.allSatisfy((0...RunRecord.largestCount).contains)
      && run.memoryBytes >= 0
    guard isPossible else { throw line.error(expected: "counts that can be", found: "others") }
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
