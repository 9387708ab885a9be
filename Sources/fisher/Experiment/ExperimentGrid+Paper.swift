/// The experiments that come with the tool.
extension ExperimentGrid {
  /// Section 4 of the paper's supplement: four networks, L2 1e-3, mini-batches of 50, Glorot-uniform weights, T = 100,
  /// λ = 0.005, ω = 1, learning rates {…, 1e-1, 5e-2, 1e-2, …}, 40 seeds for each; and AdamW and Muon beside what it compares.
  static let paper = ExperimentGrid(
    name: "paper", flags: "--data fashion-mnist --activation relu --batch 50 --l2 0.001 --epochs 15",
    networks: [80, 100].flatMap { width in
      let shape = "784-\(width)-\(width)-\(width)-10"
      let flags = "--shape \(shape.split(separator: "-").joined(separator: ","))"
      return [
        Network(name: shape, flags: flags),
        Network(name: "\(shape), batch normalisation", flags: "\(flags) --batch-norm"),
      ]
    },
    optimizers: [
      Optimizer(name: "SGD", flags: "--optimizer sgd", learningRates: [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005]),
      Optimizer(
        name: "momentum", flags: "--optimizer momentum", learningRates: [0.05, 0.02, 0.01, 0.005, 0.002, 0.001]),
      Optimizer(
        name: "Adam", flags: "--optimizer adam", learningRates: [0.002, 0.001, 0.0005, 0.0002, 0.0001, 5e-5]),
      Optimizer(
        name: "AdamW", flags: "--optimizer adamw --l2 0 --weight-decay 0.01",
        learningRates: [0.002, 0.001, 0.0005, 0.0002, 0.0001, 5e-5]),
      Optimizer(name: "Muon", flags: "--optimizer muon", learningRates: [0.05, 0.02, 0.01, 0.005, 0.002, 0.001]),
      Optimizer(
        name: "RNGD, paper preset",
        flags: "--optimizer rngd --metric paper --damping 0.005 --refresh 100 --trust-region 0 --no-early-refreshes",
        learningRates: [0.05, 0.02, 0.01, 0.005, 0.002]),
      Optimizer(
        name: "RNGD, auto", flags: "--optimizer rngd --metric auto",
        learningRates: [0.05, 0.02, 0.01, 0.005, 0.002]),
    ],
    selectionSeeds: 40, seeds: 40, losses: usualLosses)

  /// The same on two cores in about three minutes: two rates, two seeds, two epochs.
  static let quick = {
    var grid = paper
    grid.name = "quick"
    grid.flags = "--data fashion-mnist --activation relu --batch 50 --l2 0.001 --epochs 2"
    let rates = [
      [0.2, 0.1], [0.02, 0.01], [0.001, 0.0005], [0.001, 0.0005], [0.01, 0.005], [0.01, 0.005], [0.01, 0.005],
    ]
    for i in grid.optimizers.indices { grid.optimizers[i].learningRates = rates[i] }
    (grid.selectionSeeds, grid.seeds) = (2, 2)
    return grid
  }()
}
