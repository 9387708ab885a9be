import FisherKit

/// The time that the runs of a grid take, from a few steps of each network with each optimizer.
struct ExperimentEstimate {
  /// Seconds of one run, by the names of network and optimizer.
  private var seconds: [String: Double] = [:]
  /// How much longer runs took than that, as far as there are any.
  private var (expected, taken) = (0.0, 0.0)

  /// - Throws: where a grid cannot be run: its flags, its data, or networks that do not fit it.
  init(grid: ExperimentGrid, data: ExperimentData, costs: MachineCosts) throws {
    for network in grid.networks {
      for optimizer in grid.optimizers {
        let rate = optimizer.learningRates.min() ?? 0
        let cell = grid.cell(network, optimizer, learningRate: rate, seed: 0)
        let training = try cell.training()
        let split = try data.load(for: training)
        seconds[key(cell)] = try Self.measure(training, split, costs)
      }
    }
  }

  private struct Enough: Error {}

  private static func measure(_ training: Train, _ data: DataSplit, _ costs: MachineCosts) throws -> Double {
    let trainer = try training.makeTrainer(data: data, costs: costs)
    let profile = StepProfile()
    trainer.profile = profile
    let steps = min(60, trainer.plan.stepsPerEpoch)
    do {
      try trainer.run(epochs: 1) { event in
        if case .step(_, let step, _, _) = event, step == steps { throw Enough() }
      }
    } catch is Enough {
    } catch is FisherError {
      // (a run that cannot be done is a result; what it took until then is all that is known)
    }
    let interval = trainer.optimizer.all(RNGD<Float>.self).first?.refreshInterval ?? 1
    let refresh = profile[.refresh]
    let perRefresh = refresh.calls > 0 ? refresh.seconds / Double(refresh.calls) : 0
    let done = max(1, profile[.forward].calls)
    let perStep = (profile.seconds - refresh.seconds) / Double(done) + perRefresh / Double(interval)
    let count = min(data.training.count, 2000)
    let evaluation = try ContinuousClock().measure {
      do {
        _ = try trainer.evaluate(data.samples, 0..<count)
      } catch is FisherError {
        // (as above)
      }
    }
    let evaluated = Double(data.training.count + data.validation.count) / Double(count)
    let perEpoch = perStep * Double(trainer.plan.stepsPerEpoch) + evaluation / .seconds(1) * evaluated
    return perEpoch * Double(training.schedule.epochs)
  }

  private func key(_ cell: Cell) -> String { "\(cell.network)\n\(cell.optimizer)" }

  mutating func note(_ cell: Cell, took: Double) {
    expected += seconds[key(cell)] ?? 0
    taken += took
  }

  /// Seconds until all of these are done by so many at a time.
  func seconds(of cells: [Cell], jobs: Int) -> Double {
    let sum = cells.reduce(0) { $0 + (seconds[key($1)] ?? 0) }
    return sum / Double(max(1, min(jobs, cells.count))) * (expected > 0 ? taken / expected : 1)
  }
}
