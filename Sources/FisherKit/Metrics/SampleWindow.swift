/// The samples that the next refresh is made of, a bounded uniform sample of those seen since the last one: rows of X̃
/// (n,d), of z (n,m), and of what is above a pair of layers.
///
/// Where an interval brings more samples than there is room for, each mini-batch gives some of its rows, as many as fill the
/// window by the next refresh, drawn by a seeded generator: a uniform sample, the same one in every run, whatever the order
/// of the rows. Keeping samples and forming the matrix once per refresh costs the flops of adding every mini-batch to it, but
/// moves the matrix through memory once.
///
/// A window that is not half full when a refresh comes goes on with its samples: the first refreshes come after 1, 2, 4, …
/// steps, and a matrix of the few samples between two of them would be worth little.
struct SampleWindow<Scalar: KernelScalar>: ~Copyable, StateValue {
  private(set) var inputs: Matrix<Scalar>
  private(set) var preactivations: Matrix<Scalar>
  /// Of a pair of layers z of the one above, and its weights as they are now; else without columns.
  private(set) var preactivationsAbove: Matrix<Scalar>
  private(set) var weightsAbove: Matrix<Scalar>
  /// What rows of X̃ are multiplied by.
  private let scale: Double
  /// What each mini-batch gives.
  private var rowsPerBatch: Int
  /// The samples that the next refresh is to have: a quarter of what there is room for, or 250, while refreshes come
  /// every few steps, since what they cost goes with it.
  private var wanted: Int
  /// Whether a refresh is under way that goes on with these samples.
  private(set) var isFrozen = false
  /// Draws rows.
  private var generator = SeededGenerator(seed: 0, stream: .windows)
  /// Those of the last mini-batch.
  private var drawn: [Int] = []

  /// - Parameter limit: the most samples that are kept.
  init(for site: CurvatureSite<Scalar>, limit: Int) throws(FisherError) {
    let capacity = Self.capacity(for: site, limit: limit)
    let above = site.site.neuronsAbove
    var inputs = try Matrix<Scalar>(
      rows: capacity, columns: site.inputColumns, what: "\(site.name): inputs of \(capacity) samples")
    var preactivations = try Matrix<Scalar>(
      rows: capacity, columns: site.neurons, what: "\(site.name): pre-activations of \(capacity) samples")
    var preactivationsAbove = try Matrix<Scalar>(
      rows: above == nil ? 0 : capacity, columns: above ?? 0,
      what: "\(site.name): outer pre-activations of \(capacity) samples")
    let weightsAbove = try Matrix<Scalar>(
      rows: above ?? 0, columns: above == nil ? 0 : site.neurons + 1, what: "\(site.name): outer weights")
    inputs.resize(rows: 0)
    preactivations.resize(rows: 0)
    preactivationsAbove.resize(rows: 0)
    self.inputs = inputs
    self.preactivations = preactivations
    self.preactivationsAbove = preactivationsAbove
    self.weightsAbove = weightsAbove
    scale = Observation<Scalar>.scale(positions: site.site.positions) * site.positionFactor.squareRoot()
    rowsPerBatch = capacity
    wanted = capacity
    drawn.reserveCapacity(capacity)
  }

  mutating func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("inputs", &inputs)
    try visitor.visit("pre-activations", &preactivations)
    if weightsAbove.columns > 0 {
      try visitor.visit("pre-activations above", &preactivationsAbove)
      try visitor.visit("weights above", &weightsAbove)
    }
    try visitor.visit("rows of each batch", &rowsPerBatch, in: 0...Int.max)
    try visitor.visit("wanted", &wanted, in: 0...inputs.capacity)
    try visitor.visit("is frozen", &isFrozen)
    try visitor.value("generator", &generator)
  }

  var bytes: Int { inputs.bytes + preactivations.bytes + preactivationsAbove.bytes + weightsAbove.bytes }

  /// The rows of a refresh interval, but no more than `limit`.
  static func capacity(for site: CurvatureSite<Scalar>, limit: Int) -> Int {
    let (interval, overflow) = site.batchRows.multipliedReportingOverflow(by: site.refreshInterval)
    return max(1, overflow ? limit : min(interval, limit))
  }

  /// Goes by so many mini-batches until the next refresh.
  mutating func expectRefresh(after steps: Int, isEarly: Bool) {
    wanted = isEarly && steps <= 64 ? max(min(250, inputs.capacity), inputs.capacity / 4) : inputs.capacity
    let (room, steps) = (max(0, wanted - inputs.rows), max(1, steps))
    rowsPerBatch = room / steps + (room % steps == 0 ? 0 : 1)
  }

  /// Takes rows of a mini-batch; none once it is full.
  mutating func take(_ observed: borrowing Observation<Scalar>) {
    if weightsAbove.columns > 0 { weightsAbove.copy(from: observed.weightsAbove) }
    guard !isFrozen else { return }
    let room = wanted - inputs.rows
    draw(max(0, min(rowsPerBatch, observed.rows, room)), of: observed.rows, isOfPositions: observed.positions > 1)
    let first = inputs.rows
    if observed.patches != nil {
      let places = drawn
      inputs.resize(rows: first + places.count)
      observed.copyInputs(rows: places.span, to: &inputs, from: first)
    }
    for k in drawn.indices {
      if observed.patches == nil { inputs.append(row: drawn[k], of: observed.inputs) }
      if observed.positions > 1 { inputs.scale(row: first + k, by: scale) }
      preactivations.append(row: drawn[k], of: observed.preactivations)
      if weightsAbove.columns > 0 { preactivationsAbove.append(row: drawn[k], of: observed.preactivationsAbove) }
    }
  }

  /// Draws so many rows, in their order. Selection sampling (Knuth, algorithm S), where each set of them is as likely as any
  /// other; of very many rows, those of images' positions, one of each of as many equal stretches.
  private mutating func draw(_ wanted: Int, of rows: Int, isOfPositions: Bool) {
    drawn.removeAll(keepingCapacity: true)
    if isOfPositions, rows > 16 * wanted {
      for k in 0..<wanted {
        let (first, end) = (stretch(k, wanted, rows), stretch(k + 1, wanted, rows))
        drawn.append(first + generator.uniform(below: end - first))
      }
      return
    }
    var count = wanted
    for row in 0..<rows where count > 0 {
      let left = rows - row
      if count == left || generator.uniform(below: left) < count {
        drawn.append(row)
        count -= 1
      }
    }
  }

  private func stretch(_ k: Int, _ count: Int, _ rows: Int) -> Int { rows / count * k + rows % count * k / count }

  /// Removes samples that are not finite.
  /// - Returns: how many there were.
  mutating func removeNonFinite() -> Int {
    if inputs.isFinite && preactivations.isFinite && preactivationsAbove.isFinite { return 0 }
    let isPair = weightsAbove.columns > 0
    var kept = 0
    for row in 0..<inputs.rows
    where inputs.isFinite(row: row) && preactivations.isFinite(row: row)
      && (!isPair || preactivationsAbove.isFinite(row: row))
    {
      if kept < row {
        inputs.copyRow(row, to: kept)
        preactivations.copyRow(row, to: kept)
        if isPair { preactivationsAbove.copyRow(row, to: kept) }
      }
      kept += 1
    }
    let removed = inputs.rows - kept
    resize(rows: kept)
    return removed
  }

  /// Takes nothing more, until what is there is removed.
  mutating func freeze() {
    demand(inputs.rows > 0, "a refresh needs at least one observation")
    isFrozen = true
  }

  /// After a refresh: starts the next window, but one that is not half full goes on.
  mutating func refreshed() {
    isFrozen = false
    if 2 * inputs.rows > wanted { resize(rows: 0) }
  }

  /// After a refresh that failed: what there is stays, and grows, but a window that is full can only be begun anew.
  mutating func removeAllIfFull() {
    isFrozen = false
    if inputs.rows >= wanted { resize(rows: 0) }
  }

  private mutating func resize(rows: Int) {
    inputs.resize(rows: rows)
    preactivations.resize(rows: rows)
    if weightsAbove.columns > 0 { preactivationsAbove.resize(rows: rows) }
  }
}
