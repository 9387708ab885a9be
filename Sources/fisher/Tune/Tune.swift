import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Tune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Chooses learning rate, damping, trust region, batch and rank within a budget of seconds.",
    discussion: """
      Example: fisher tune --budget 60 --data fashion-mnist --out FLAGS.txt && fisher train $(cat FLAGS.txt)

      All other flags are those of fisher train, which every trial has: the data, the network, the optimizer; a quantity \
      that is given by its flag is not tuned.

      A range test comes first, 100 steps at a growing learning rate and at most a fifth of the budget: rates are drawn \
      between where the loss begins to fall and where it no longer does. Then settings that are drawn by --seed, the first \
      the defaults, are trained for the same few seconds; the better third goes on for longer, and so on (successive \
      halving). In the last \(Int(100 * TuneShares.comparison)) % of the budget the best of them and the defaults train from \
      the start by another seed, and the better one is what comes out. The budget counts all but loading data.

      --log has a first line with command, version, seed and machine, one for the range test, one for each trial and rung, \
      and a last one with the choice. SIGINT and SIGTERM end it with the best so far on the standard error.
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Seconds for all but loading data.", valueName: "seconds"))
  var budget: Double
  @Option(
    help: ArgumentHelp(
      "What to tune, of \(TuneQuantity.all) (default: all of them that mean something to the optimizer and the metric).",
      valueName: "list"), transform: TuneQuantity.parse)
  var tune: [TuneQuantity]?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "By what: validation-loss (default), loss (that of the training set, of as many samples as are for validation), or "
        + "time-to LOSS (the seconds of training to a validation loss).", valueName: "name"))
  var objective: [String] = []
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How many settings, the defaults among them (default: 9 for one or two quantities, 27 for more).", valueName: "N")
  )
  var trials: Int?
  @Option(
    parsing: .unconditional, help: "Seed of the settings, the starting weights, the shuffling and the synthetic data.")
  var seed: UInt64?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "No trial trains for more epochs, and the flags that come out say so (default: no limit).", valueName: "E"))
  var epochs: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads (default: OMP_NUM_THREADS, or all cores).", valueName: "P"))
  var threads: Int?
  @Option(help: ArgumentHelp("Where to write the JSON lines.", valueName: "file.jsonl")) var log: String?
  @Option(help: ArgumentHelp("Where to write the flags, in one line for fisher train.", valueName: "flags.txt"))
  var out: String?
  @Option(help: ArgumentHelp("Where to draw the range test and the trials.", valueName: "file.svg")) var picture:
    String?
  @Flag(help: "Print nothing but errors.") var quiet = false
  @Argument(
    parsing: .allUnrecognized, help: ArgumentHelp("Flags of fisher train.", valueName: "flags of fisher train"))
  var flags: [String] = []

  static let mostTrials = 1000

  func validate() throws {
    guard budget > 0, budget <= 1e9 else {
      throw ValidationError("--budget: expected a number of seconds above 0, up to 1e9, found \(budget)")
    }
    if let trials, !(2...Self.mostTrials).contains(trials) {
      throw ValidationError("--trials: expected 2 to \(Self.mostTrials), found \(trials)")
    }
    if let epochs, epochs < 1 { throw ValidationError("--epochs: expected 1 or more, found \(epochs)") }
    if let threads, !(1...Compute.mostThreads).contains(threads) {
      throw ValidationError("--threads: expected 1 to \(Compute.mostThreads), found \(threads)")
    }
    for (flag, path) in [("--log", log), ("--out", out), ("--picture", picture)] where path == "" {
      throw ValidationError("\(flag): expected a file name, found an empty one")
    }
    _ = try TuneObjective(words: objective)
    let shared = try sharedFlags()
    if out != nil { try shared.requirePlainWords() }
  }

  private func sharedFlags() throws -> TuneFlags {
    try TuneFlags(words: flags, tuned: tune, epochs: epochs, threads: threads, seed: seed)
  }

  func run() throws {
    ToolThreads.start(threads ?? Compute.threads)
    let shared = try sharedFlags()
    let outputs = try TuneOutputs(log: log, out: out, picture: picture)
    do {
      let run = TuneRun(
        flags: shared, budget: budget, objective: try TuneObjective(words: objective),
        trials: trials ?? (shared.quantities.count > 2 ? 27 : 9), seed: seed ?? 0, log: outputs.log,
        view: TuneView(isQuiet: quiet, flags: shared))
      let result: TuneResult
      do {
        result = try Interruption.deferred { try run.run() }
      } catch let interruption as Interrupted {
        throw interruption.with([run.bestText, try outputs.keep()].compactMap { $0 }.joined(separator: "; "))
      }
      try outputs.finish(result, flags: shared)
    } catch {
      outputs.discard()
      throw error
    }
  }
}
