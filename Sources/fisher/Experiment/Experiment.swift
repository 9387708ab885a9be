import ArgumentParser
import FisherKit
import FisherKitToolSupport
import Foundation

struct Experiment: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains every network of a grid with every optimizer, over learning rates and seeds.",
    discussion: """
      Example: fisher experiment --quick --log quick.jsonl && fisher report quick.jsonl --out report.html

      Without a grid it is the experiment of the paper: four networks, 40 seeds, most of a day on two cores; --quick \
      is a small form of it. --print-grid prints either as a file to start from.

      Each finished run is added to the log at once. After an interruption the same command goes on where it stopped, \
      and no run is done twice; a grid with more seeds, rates, networks or optimizers goes on with the same log. Its \
      runs are known by their flags; one that has the same names for other flags needs a log of its own.
      """)

  @Argument(help: ArgumentHelp("A grid in JSON (default: the paper's).", valueName: "grid.json")) var grid: String?
  @Option(help: ArgumentHelp("The log of runs, to be begun or to go on with.", valueName: "file.jsonl"))
  var log: String?
  @Flag(help: "Two rates, two seeds and two epochs of the paper's experiment: about three minutes on two cores.")
  var quick = false
  @Flag(help: "Print the grid and do nothing.") var printGrid = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Runs at a time (default: as many as the threads leave cores for).", valueName: "J"))
  var jobs: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Threads of each run.", valueName: "P")) var threads = 1
  @Option(
    help: ArgumentHelp(
      "The machine's speeds for auto's plan, in JSON; measured, and written there, where it does not exist (default: "
        + "what the log has, or what is measured now).", valueName: "file"))
  var costModel: String?
  @Flag(help: "Print nothing but errors.") var quiet = false

  func validate() throws {
    if quick, grid != nil { throw ValidationError("--quick: expected no grid beside it, found one") }
    if !printGrid, log == nil { throw ValidationError("--log: expected a file for the runs, found none") }
    if let log, log.isEmpty { throw ValidationError("--log: expected a file name, found an empty one") }
    guard (1...Compute.mostThreads).contains(threads) else {
      throw ValidationError("--threads: expected 1 to \(Compute.mostThreads), found \(threads)")
    }
    if let jobs, !(1...Compute.mostThreads).contains(jobs) {
      throw ValidationError("--jobs: expected 1 to \(Compute.mostThreads), found \(jobs)")
    }
  }

  func run() throws {
    let grid = try self.grid.map(ExperimentGrid.load(path:)) ?? (quick ? .quick : .paper)
    if printGrid { return Standard.print(document: try grid.json() + "\n") }
    guard let path = log else { return }
    let cores = max(1, Compute.threads)
    let (jobs, threads) = roomFor(jobs: self.jobs ?? max(1, cores / threads))
    let view = ExperimentView(isQuiet: quiet)
    let log = try ExperimentLog(path: path)
    try log.requireFit(grid)
    let costs =
      try costModel.map { try CostModelFile(path: $0).load() } ?? log.headers.last?.costs
      ?? MachineCosts.measure(Float.self)
    try costs.requirePossible(in: costModel ?? path)
    view.say(
      "grid       \(grid.name): \(grid.networks.count) networks, \(grid.optimizers.count) optimizers, "
        + "\(grid.seeds) seeds")
    view.say("computing  \(jobs) runs at a time, \(threads) threads each, \(Compute.level)")
    let data = ExperimentData()
    let estimate = try ExperimentEstimate(grid: grid, data: data, costs: costs)
    let header = ExperimentHeader(
      grid: grid, command: commandText(), version: FisherKitVersion.current, machine: .current(cores: cores),
      jobs: jobs,
      threads: threads, costs: costs)
    if log.headers.last != header { try log.append(header) }
    let run = ExperimentRun(
      grid: grid, log: log, data: data, estimate: estimate, costs: costs, jobs: jobs, view: view)
    try Interruption.deferred { try run.run() }
    view.say("all runs are in \(path); fisher report \(path) --out report.html makes a page of them")
  }

  /// What there are threads for: fewer runs at a time, and in the end fewer threads of one, where there are not enough.
  private func roomFor(jobs: Int) -> (jobs: Int, threads: Int) {
    let possible = ToolThreads.possible(jobs * threads)
    if possible < threads || jobs == 1 {
      ToolThreads.start(threads)
      return (1, Compute.threads)
    }
    let fitting = min(jobs, possible / threads)
    if fitting < jobs { ToolThreads.warn("\(jobs) runs at a time", "\(fitting)") }
    Compute.threads = threads
    return (fitting, threads)
  }
}

extension ExperimentHeader.Machine {
  static func current(cores: Int) -> Self {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
    let processor = line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    return Self(
      system: ProcessInfo.processInfo.operatingSystemVersionString, processor: processor ?? "unknown", cores: cores,
      level: Compute.level)
  }
}
