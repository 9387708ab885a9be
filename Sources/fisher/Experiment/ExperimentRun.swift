import FisherKit
import FisherKitToolSupport
import Foundation

/// Does the runs of a grid that a log does not have yet, several at a time, on this thread and others.
final class ExperimentRun: @unchecked Sendable {
  private let grid: ExperimentGrid
  private let data: ExperimentData
  private let costs: MachineCosts
  private let queue: ExperimentQueue
  private let view: ExperimentView
  private let jobs: Int
  private let lock = NSLock()
  // (guarded by the lock)
  private let log: ExperimentLog
  private var estimate: ExperimentEstimate
  private var done: Int
  private var failure: (any Error)?

  init(
    grid: ExperimentGrid, log: ExperimentLog, data: ExperimentData, estimate: ExperimentEstimate, costs: MachineCosts,
    jobs: Int, view: ExperimentView
  ) {
    (self.grid, self.log, self.data, self.estimate, self.costs) = (grid, log, data, estimate, costs)
    (self.jobs, self.view) = (jobs, view)
    queue = ExperimentQueue(grid: grid, done: log.records)
    done = grid.runCount - queue.remaining.count
    view.say(
      "runs       \(grid.runCount), \(done) of them in the log; the others take about "
        + ExperimentView.time(estimate.seconds(of: queue.remaining, jobs: jobs)))
  }

  /// Ends when all runs are in the log.
  /// - Throws: the first error that is not a run's own; what was finished before is in the log. Where all are in the log,
  ///   and each of them failed, that.
  func run() throws {
    let group = DispatchGroup()
    for _ in 1..<jobs {
      group.enter()
      let thread = Thread { [self] in
        work()
        group.leave()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    work()
    group.wait()
    if let interruption = failure as? Interrupted {
      throw interruption.with("\(done) of \(grid.runCount) runs are in the log, and the same command does the others")
    }
    if let failure { throw failure }
    let order = grid.order
    try log.sort(by: order)
    let runs = log.records.filter { order[$0.arguments] != nil }
    guard let first = runs.first?.failure, runs.allSatisfy({ $0.failure != nil }) else { return }
    throw AllFailed(
      errorDescription:
        "\(grid.name): expected a run that ends, found that all \(runs.count) failed; the first: \(first)")
  }

  /// Neither the grid nor the data can be told to be at fault.
  private struct AllFailed: LocalizedError {
    var errorDescription: String?
  }

  private func work() {
    while let cell = queue.next() {
      do {
        if let interruption = Interruption.noted { throw interruption }
        let start = ContinuousClock.now
        let training = try cell.training()
        let split = try data.load(for: training)
        let record = try CellRun(cell: cell, training: training, data: split, costs: costs).record()
        try finish(cell, record, took: (ContinuousClock.now - start) / .seconds(1))
      } catch {
        lock.withLock { failure = failure ?? error }
        queue.stop()
        return
      }
    }
  }

  private func finish(_ cell: Cell, _ record: RunRecord, took: Double) throws {
    try lock.withLock {
      try log.append(record)
      queue.finished(record)
      estimate.note(cell, took: took)
      done += 1
      let remaining = queue.remaining
      view.show(
        record, done: done, of: done + remaining.count, remaining: estimate.seconds(of: remaining, jobs: jobs))
    }
  }
}
