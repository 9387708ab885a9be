import FisherKit
import FisherKitToolSupport
import Foundation

/// The human view of a run: a table on the standard output, and a progress bar where that is a terminal.
final class RunView {
  private let hasBar = Standard.canRedraw
  private var lastBar = ContinuousClock.now
  /// What the process held before it loaded anything.
  private let residentBefore: Int
  /// What a cost model says that a refresh and a step take.
  private let costs: (refresh: Double, step: Double)?
  /// T, where there are refreshes.
  private let refreshInterval: Int?
  private let isSpread: Bool
  private let earlyRefreshes: Int
  /// κ
  private let trustRegion: Double?
  private var plannedBytes = 0
  private var incidents = IncidentCounts()
  private var bounds: [EpochReport.Bound] = []

  init(residentBefore: Int, optimizer: any Optimizer<Float>) {
    self.residentBefore = residentBefore
    let natural = optimizer.all(RNGD<Float>.self).first
    costs = natural?.expectedSeconds
    refreshInterval = natural?.refreshInterval
    isSpread = natural?.schedule.isSpread ?? false
    earlyRefreshes = natural?.earlyRefreshes ?? 0
    trustRegion = natural?.trustRegionKappa
  }

  func begin(
    data: DataSplit, shape: [Int], network: NetworkOptions, optimizer: OptimizerOptions, schedule: RunOptions,
    steps: StepOptions, parameters: Int
  ) throws {
    let batch = schedule.batch(for: data)
    let batchName = "batch \(batch)" + (batch < schedule.batch ? ", all samples, for \(schedule.batch)" : "")
    var settings = ["learning rate \(short(optimizer.rate(batch: batch)))", batchName, "decay \(optimizer.decay)"]
    var name = "\(optimizer.optimizer)"
    if optimizer.optimizer == .rngd {
      let metric = optimizer.metric ?? .auto
      name += ", \(metric) metric (ν \(metric == .shared ? "= 1" : "of \(try network.activation.metric)"))"
      if !optimizer.pair.isEmpty {
        settings.append("pairs at layers \(optimizer.pair.map(String.init).joined(separator: ", "))")
      }
      settings.append("damping \(optimizer.natural.chosenDamping)")
      if let refreshInterval { settings.append("refresh \(refreshInterval)") }
      settings.append("trust region \(trustRegion.map { $0 > 0 ? short($0) : "off" } ?? "off")")
    }
    if let momentum = optimizer.momentum, momentum > 0 { settings.append("momentum \(short(momentum))") }
    settings += optimizer.schedules.summary + steps.summary
    print("data       \(data.name.visible(keeping: [])), \(data.width) features, \(data.targetsText)")
    var layers =
      try network.model.map { "\($0.visible(keeping: [])), \(parameters) parameters" }
      ?? "\(shape.map(String.init).joined(separator: "-")), \(try network.activation.forward)"
    if network.batchNorm, shape.count > 2 {
      layers += ", batch normalisation\(network.batchNormBlocks ? " in 2×2 blocks" : "")"
    }
    if network.loss != .softmax { layers += ", \(try network.loss.make())" }
    print("network    \(layers)")
    print("optimizer  \(name): \(settings.joined(separator: ", "))")
  }

  /// Of the run as a whole.
  func show(_ line: String) { print(line) }

  func show(_ event: TrainingEvent) {
    switch event {
    case .began(let plan):
      print(
        "samples    \(plan.trainingSamples) training, \(plan.validationSamples) validation, \(plan.testSamples) test")
      if plan.rescaledFeatures > 0 {
        print(
          "features   \(plan.rescaledFeatures) are far above unit scale: the first layer starts in their units; "
            + "standardised data train better")
      }
      // (reading a data set takes more than it is then: gzip's is there twice, and a synthetic one in double precision)
      let loadingBytes = peakMemoryBytes()
      let runningBytes = residentBefore + plan.bytes
      plannedBytes = max(loadingBytes, runningBytes)
      for layer in plan.layers {
        print("\(pad(layer.name, -10)) \(layer.estimate.summary), \(megabytes(layer.bytes))")
      }
      if let costs {
        print(
          "expected   \(milliseconds(costs.refresh)) a refresh, \(milliseconds(costs.step)) a step beside it; "
            + "\(milliseconds(costs.refresh * Double(earlyRefreshes))) for \(earlyRefreshes) before the first interval is over"
        )
      }
      print(
        "memory     data \(megabytes(plan.dataBytes)), model \(megabytes(plan.modelBytes)), optimizer "
          + megabytes(plan.optimizerBytes))
      print(
        "planned    \(megabytes(plannedBytes)) in all"
          + (runningBytes < loadingBytes ? ", as loading the data took; \(megabytes(runningBytes)) from here on" : ""))
      print("computing  \(Compute.threads) threads, \(Compute.level)\n")
      print("epoch     steps   seconds  train loss  train error  validation loss  accuracy")
    case .step(let epoch, let step, let steps, let loss): showBar(epoch, step, steps, loss)
    case .evaluated(let step, let seconds, let training):
      clearBar()
      print(pad("", 5), pad("\(step)", 9), pad(fixed(seconds, 2), 9), pad(fixed(training.loss, 4), 11))
    case .survived(let incident): warn(incident)
    case .stoppedEarly(let epoch, let best):
      clearBar()
      print("stopped after epoch \(epoch), with the weights of epoch \(best)")
    case .epoch(let report):
      clearBar()
      print(
        pad("\(report.epoch)", 5), pad("\(report.step)", 9), pad(fixed(report.seconds, 2), 9),
        pad(fixed(report.training.loss, 4), 11), pad(percent(report.training.error), 12),
        pad(fixed(report.validation.loss, 4), 16), pad(percent(report.validation.accuracy), 9))
      bounds = report.bounds
    case .finished(let test):
      if let most = bounds.max(by: { $0.share < $1.share }), most.share > 0 {
        print(
          "\ntrust region bound in the last epoch: "
            + bounds.filter { $0.share > 0 }.map { "\($0.name) \(fixed(100 * $0.share, 1))%" }.joined(separator: ", "))
      }
      for line in incidents.summary { print(line) }
      print(
        "\ntest: loss \(fixed(test.loss, 4)), accuracy \(percent(test.accuracy)); "
          + "peak memory \(megabytes(peakMemoryBytes())), planned \(megabytes(plannedBytes))")
    }
  }

  private func percent(_ share: Double?) -> String { share.map { fixed(100 * $0, 2) + "%" } ?? "-" }

  /// What was expected against what was measured, and where asked for all of the profile.
  func compare(_ profile: StepProfile, showing: Bool) {
    let (refresh, step) = (profile[.refresh], profile[.precondition])
    if let costs, refresh.calls > 0, step.calls > 0 {
      print(
        "refresh: \(milliseconds(refresh.seconds / Double(refresh.calls)))\(isSpread ? " a part" : ""), "
          + "expected \(milliseconds(costs.refresh))\(isSpread ? " in all" : ""); "
          + "step beside it: \(milliseconds(step.seconds / Double(step.calls))), expected \(milliseconds(costs.step))")
    }
    if showing { print("\n\(profile)", terminator: "") }
  }

  /// The first few of each kind as they come; the summary has all.
  private func warn(_ incident: Incident) {
    guard incidents.add(incident) <= 3 else { return }
    clearBar()
    Standard.printError(line: "warning: \(incident)")
  }

  private func showBar(_ epoch: Int, _ step: Int, _ steps: Int, _ loss: Double) {
    guard hasBar, ContinuousClock.now - lastBar > .milliseconds(100) else { return }
    lastBar = .now
    // (the numbers beside it take up to 45)
    let width = min(30, max(0, terminalWidth() - 45))
    let filled = width * step / steps
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    clearBar()
    print("\(pad("\(epoch)", 5)) [\(bar)] \(step)/\(steps)  loss \(fixed(loss, 4))", terminator: "")
  }

  func clearBar() {
    if hasBar { Standard.clearLine() }
  }
}

extension DataSplit {
  /// Such as "10 classes".
  fileprivate var targetsText: String {
    switch samples.targets {
    case .classes: "\(classes) classes"
    case .numbers(_, let width): width == 1 ? "1 number a sample" : "\(width) numbers a sample"
    }
  }
}

private func print(_ items: String..., terminator: String = "\n") {
  Standard.print(items.joined(separator: " ") + terminator)
}

/// The columns of the terminal, or 80.
private func terminalWidth() -> Int {
  var size = winsize()
  return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
}

private func milliseconds(_ seconds: Double) -> String { fixed(1e3 * seconds, 2) + " ms" }

func megabytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1e6, 1) + " MB" }
