import Foundation

/// Which run comes next: first those that choose the learning rates, then for each network and optimizer the other seeds
/// at the rate that was chosen, as soon as it is. Safe to ask from several threads; never gives out a run twice.
final class ExperimentQueue: @unchecked Sendable {
  private let grid: ExperimentGrid
  private let condition = NSCondition()
  // (all guarded by the condition)
  private var done: [String: RunRecord]
  private var given: Set<String> = []
  private var selection: [Cell]
  private var selectionPlace = 0
  private var isStopped = false

  init(grid: ExperimentGrid, done records: [RunRecord]) {
    self.grid = grid
    done = Dictionary(records.map { ($0.arguments, $0) }) { first, _ in first }
    selection = grid.selectionCells
  }

  /// The next run, or `nil` when there will be no more. Waits where that depends on runs under way.
  func next() -> Cell? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped {
      if let cell = nextOfSelection() ?? nextChosen() {
        given.insert(cell.arguments)
        return cell
      }
      if given.allSatisfy({ done[$0] != nil }) { return nil }
      condition.wait()
    }
    return nil
  }

  func finished(_ record: RunRecord) {
    condition.withLock {
      done[record.arguments] = record
      condition.broadcast()
    }
  }

  /// No more runs are given out.
  func stop() {
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }

  /// Runs that are still to be done, those under way included, as far as they can be known now.
  var remaining: [Cell] {
    condition.withLock {
      let selecting = selection.filter { done[$0.arguments] == nil }
      return selecting
        + pairs.flatMap { chosenCells($0, $1, orAt: $1.learningRates[0]) }
        .filter { done[$0.arguments] == nil }
    }
  }

  private func isFree(_ cell: Cell) -> Bool { done[cell.arguments] == nil && !given.contains(cell.arguments) }

  private func nextOfSelection() -> Cell? {
    while selectionPlace < selection.count {
      if isFree(selection[selectionPlace]) { return selection[selectionPlace] }
      selectionPlace += 1
    }
    return nil
  }

  private var pairs: [(ExperimentGrid.Network, ExperimentGrid.Optimizer)] {
    grid.networks.flatMap { network in grid.optimizers.map { (network, $0) } }
  }

  /// By seeds, so that no network is late.
  private func nextChosen() -> Cell? {
    pairs.flatMap { chosenCells($0, $1, orAt: nil) }.filter(isFree).min { $0.seed < $1.seed }
  }

  private func chosenCells(
    _ network: ExperimentGrid.Network, _ optimizer: ExperimentGrid.Optimizer, orAt rate: Double?
  ) -> [Cell] {
    guard grid.seeds > grid.selectionSeeds else { return [] }
    let cells = (0..<grid.selectionSeeds).flatMap { seed in
      optimizer.learningRates.map { grid.cell(network, optimizer, learningRate: $0, seed: seed) }
    }
    let records = cells.compactMap { done[$0.arguments] }
    guard records.count == cells.count else {
      return rate.map { grid.chosenCells(network, optimizer, learningRate: $0) } ?? []
    }
    guard let chosen = Selection(of: records) else { return [] }
    return grid.chosenCells(network, optimizer, learningRate: chosen.learningRate)
  }
}
