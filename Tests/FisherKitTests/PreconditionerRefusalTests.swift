import FisherKit
import FisherKitTestSupport
import Testing

/// What a preconditioner refuses, in words that name the site and the argument.
@Suite struct PreconditionerRefusalTests {
  private func site(
    _ name: String = "hidden", neurons: Int = 2, order: Int = 4, of subsystem: any Subsystem = NonlinearLayer(Tanh()),
    positions: Int = 1, above: Int? = nil
  ) -> Site {
    Site(
      name: name, neurons: neurons, order: order, subsystem: subsystem, positions: positions, neuronsAbove: above)
  }

  private func make(
    _ sites: [Site], metric: any Metric = ExactMetric(), damping: Damping = 0.1,
    schedule: RefreshSchedule = RefreshSchedule(), batchSize: Int = 5
  ) throws -> Preconditioner<Double> {
    try Preconditioner(sites: sites, metric: metric, damping: damping, schedule: schedule, batchSize: batchSize)
  }

  private func words(_ body: () throws -> Void) -> String {
    guard let error = failure(of: body) else { return "no error" }
    return error is FisherError ? "\(error)" : "no FisherError: \(error)"
  }

  private func numbers(_ count: Int) -> [Double] { Array(repeating: 0.5, count: count) }

  @Test func sites() throws {
    let pair = TwoLayers(hidden: Tanh(), outer: SoftmaxLayer())
    for (body, expected) in [
      ({ _ = try make([site(), site()]) }, "sites: expected names of their own, found two called hidden"),
      ({ _ = try make([site(neurons: 0)]) }, "hidden: neurons: expected 1 or more, found 0"),
      ({ _ = try make([site(order: 0)]) }, "hidden: order: expected 1 or more, the bias included, found 0"),
      ({ _ = try make([site(positions: -1)]) }, "hidden: positions: expected 1 or more, found -1"),
      (
        { _ = try make([site(of: pair)]) },
        "hidden: neurons above: expected those of the layer above, through which it is seen, found none"
      ),
      (
        { _ = try make([site(of: pair, above: 0)]) },
        "hidden: neurons above: expected those of the layer above, through which it is seen, found 0"
      ),
      ({ _ = try make([site()], batchSize: 0) }, "mini-batch: expected at least one sample, found 0"),
      ({ _ = try make([site()], damping: -1) }, "damping: expected a number from 0 to 1e30, found -1.0"),
      (
        { _ = try make([site()], metric: AverageMetric(decay: 1)) }, "decay: expected a number in [0, 1), found 1.0"
      ),
      (
        { _ = try make([site()], schedule: RefreshSchedule(interval: 0)) },
        "refresh: expected a number of steps from 1 up, found 0"
      ),
      (
        { _ = try make([site(of: pair, above: 3)], metric: DiagonalMetric()) },
        "hidden: expected a form that the diagonal metric has a way for, found coupled neurons of two layers (\(pair)); "
          + "exact, projected and auto have their matrix"
      ),
    ] as [(() throws -> Void, String)] {
      let found = words(body)
      #expect(found == expected)
    }
    #expect(try make([]).sites.isEmpty)
  }

  @Test func names() throws {
    let two = try make([site("a"), site("b")])
    let expected = "site: expected a, b, found c"
    #expect(words { try two.observe("c", inputs: numbers(3), preactivations: numbers(2)) } == expected)
    #expect(words { _ = try two.index(of: "c") } == expected)
    #expect(
      words {
        var gradient = numbers(8)
        try two.direction(&gradient, at: "c")
      } == expected)
    #expect(try two.index(of: "b") == 1)
  }

  @Test func matrices() throws {
    let one = try make([site()])
    func observe(_ inputs: (Int, Int), _ preactivations: (Int, Int)) -> String {
      words {
        try one.observe(
          "hidden", inputs: .make(numbers(inputs.0 * inputs.1), rows: inputs.0, columns: inputs.1),
          preactivations: .make(
            numbers(preactivations.0 * preactivations.1), rows: preactivations.0, columns: preactivations.1))
      }
    }
    #expect(observe((5, 5), (5, 2)) == "hidden: inputs: expected 4 columns, or 3 without the bias, found 5")
    #expect(observe((5, 2), (5, 2)) == "hidden: inputs: expected 4 columns, or 3 without the bias, found 2")
    #expect(observe((5, 4), (5, 3)) == "hidden: pre-activations: expected 2 columns, found 3")
    #expect(observe((5, 4), (4, 2)) == "hidden: pre-activations: expected 5 rows, as the inputs have, found 4")
    #expect(observe((6, 4), (6, 2)) == "hidden: samples: expected 1 to 5, found 6")
    #expect(observe((0, 4), (0, 2)) == "hidden: samples: expected 1 to 5, found 0")
    #expect(observe((5, 4), (5, 2)) == "no error" && observe((1, 3), (1, 2)) == "no error")
    let tokens = try make([site(positions: 3)])
    #expect(
      words {
        try tokens.observe(
          "hidden", inputs: .make(numbers(16), rows: 4, columns: 4),
          preactivations: .make(numbers(8), rows: 4, columns: 2))
      } == "hidden: inputs: expected rows of samples with 3 positions each, found 4 rows")
    #expect(
      words {
        try Observation<Double>.with(
          inputs: .make(numbers(24), rows: 6, columns: 4), preactivations: .make(numbers(12), rows: 6, columns: 2)
        ) { (observed) throws(FisherError) in try tokens.observe(0, observed) }
      } == "hidden: positions: expected 3, found 1")
    let norm = try make([site("norm", neurons: 3, order: 2, of: BatchNorm())])
    #expect(
      words { try norm.observe("norm", inputs: numbers(4), preactivations: numbers(6)) }
        == "norm: inputs: expected 3 columns, found 2")
  }

  @Test func arrays() throws {
    let one = try make([site()])
    func observe(_ inputs: Int, _ preactivations: Int) -> String {
      words { try one.observe("hidden", inputs: numbers(inputs), preactivations: numbers(preactivations)) }
    }
    #expect(observe(12, 7) == "hidden: pre-activations: expected rows of 2 numbers, found 7 numbers")
    #expect(observe(12, 0) == "hidden: pre-activations: expected rows of 2 numbers, found 0 numbers")
    #expect(observe(13, 8) == "hidden: inputs: expected 4 rows of 4 or 3 numbers, found 13 numbers")
    #expect(observe(8, 8) == "hidden: inputs: expected 4 columns, or 3 without the bias, found 2")
    #expect(observe(0, 8) == "hidden: inputs: expected 4 columns, or 3 without the bias, found 0")
    #expect(observe(24, 12) == "hidden: samples: expected 1 to 5, found 6")
    #expect(observe(16, 8) == "no error" && observe(12, 8) == "no error")
    let tokens = try make([site(positions: 3)])
    #expect(
      words { try tokens.observe("hidden", inputs: numbers(16), preactivations: numbers(8)) }
        == "hidden: inputs: expected rows of samples with 3 positions each, found 4 rows")
  }

  @Test func gradients() throws {
    let one = try make([site()])
    func direction(_ count: Int) -> String {
      words {
        var gradient = numbers(count)
        try one.direction(&gradient, at: "hidden")
      }
    }
    #expect(direction(8) == "hidden: direction: expected one after refreshIfDue(), found no step yet")
    #expect(
      words { try one.refreshIfDue() } == "hidden: observation: expected one before the first refresh, found none")
    try one.observe("hidden", inputs: numbers(12), preactivations: numbers(8))
    try one.refreshIfDue()
    #expect(direction(7) == "hidden: gradient: expected 2 × 4 = 8 numbers, found 7")
    #expect(direction(0) == "hidden: gradient: expected 2 × 4 = 8 numbers, found 0")
    #expect(direction(8) == "no error")
    #expect(
      words {
        var gradient = try Matrix<Double>(rows: 2, columns: 3)
        try one.direction(&gradient, at: "hidden")
      } == "hidden: gradient: expected 2 × 4, found 2 × 3")
  }

  @Test func layersAbove() throws {
    let pair = try make([site(of: TwoLayers(hidden: Tanh(), outer: SoftmaxLayer()), above: 3)])
    #expect(
      words { try pair.observe("hidden", inputs: numbers(16), preactivations: numbers(8)) }
        == "hidden: pre-activations of the layer above: expected 4 × 3, found 0 × 0")
    func observe(weights: Int, preactivations: Int) -> String {
      words {
        try pair.observe(
          "hidden", inputs: numbers(16), preactivations: numbers(8), weightsAbove: numbers(weights),
          preactivationsAbove: numbers(preactivations))
      }
    }
    #expect(
      observe(weights: 6, preactivations: 12)
        == "hidden: layer above: expected weights of 3 × 3 and 4 × 3 pre-activations, found 6 and 12 numbers")
    #expect(
      observe(weights: 9, preactivations: 11)
        == "hidden: layer above: expected weights of 3 × 3 and 4 × 3 pre-activations, found 9 and 11 numbers")
    #expect(observe(weights: 9, preactivations: 12) == "no error")
    #expect(
      words {
        try Observation<Double>.with(
          inputs: .make(numbers(16), rows: 4, columns: 4), preactivations: .make(numbers(8), rows: 4, columns: 2),
          weightsAbove: .make(numbers(6), rows: 3, columns: 2),
          preactivationsAbove: .make(numbers(12), rows: 4, columns: 3)
        ) { (observed) throws(FisherError) in try pair.observe(0, observed) }
      } == "hidden: weights of the layer above: expected 3 × 3, found 3 × 2")
    // a site without one does not take it
    let plain = try make([site()])
    let text = words {
      try plain.observe(
        "hidden", inputs: numbers(16), preactivations: numbers(8), weightsAbove: numbers(9),
        preactivationsAbove: numbers(12))
    }
    #expect(text.hasPrefix("hidden: layer above: expected "), "\(text)")
  }
}
