/// The samples that the next refresh is made of, a bounded uniform sample of those seen since the last one: rows of X̃
/// (n,d) and of z (n,m).
///
/// Where an interval brings more samples than there is room for, each mini-batch gives its first rows, as many as fill the
/// window by the next refresh: batches are shuffled, so that is a uniform sample, the same one in every run. Keeping
/// samples and forming the matrix once per refresh costs the flops of adding every mini-batch to it, but moves the matrix
/// through memory once.
///
/// A window that is not half full when a refresh comes goes on with its samples: the first refreshes come after 1, 2, 4, …
/// steps, and a matrix of the few samples between two of them would be worth little.
struct SampleWindow<Scalar: KernelScalar>: ~Copyable {
  private(set) var inputs: Matrix<Scalar>
  private(set) var preactivations: Matrix<Scalar>
  /// What each mini-batch gives.
  private var rowsPerBatch: Int
  /// The samples that the next refresh is to have: a quarter of what there is room for, or 250, while refreshes come
  /// every few steps, since what they cost goes with it.
  private var wanted: Int
  /// Whether a refresh is under way that goes on with these samples.
  private var isFrozen = false

  /// - Parameter limit: the most samples that are kept.
  init(for site: CurvatureSite<Scalar>, limit: Int) throws(FisherError) {
    let capacity = Self.capacity(for: site, limit: limit)
    var inputs = try Matrix<Scalar>(
      rows: capacity, columns: site.order, what: "\(site.name): inputs of \(capacity) samples")
    var preactivations = try Matrix<Scalar>(
      rows: capacity, columns: site.neurons, what: "\(site.name): pre-activations of \(capacity) samples")
    inputs.resize(rows: 0)
    preactivations.resize(rows: 0)
    self.inputs = inputs
    self.preactivations = preactivations
    rowsPerBatch = capacity
    wanted = capacity
  }

  var bytes: Int { inputs.bytes + preactivations.bytes }

  /// The samples of a refresh interval, but no more than `limit`.
  static func capacity(for site: CurvatureSite<Scalar>, limit: Int) -> Int {
    let (interval, overflow) = site.batchSize.multipliedReportingOverflow(by: site.refreshInterval)
    return max(1, overflow ? limit : min(interval, limit))
  }

  /// Goes by so many mini-batches until the next refresh.
  mutating func expectRefresh(after steps: Int, isEarly: Bool) {
    wanted = isEarly && steps <= 64 ? max(min(250, inputs.capacity), inputs.capacity / 4) : inputs.capacity
    let (room, steps) = (max(0, wanted - inputs.rows), max(1, steps))
    rowsPerBatch = room / steps + (room % steps == 0 ? 0 : 1)
  }

  /// Takes the first rows of a mini-batch; none once it is full.
  mutating func take(inputs x: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    guard !isFrozen else { return }
    let count = max(0, min(rowsPerBatch, x.rows, wanted - inputs.rows))
    inputs.append(x, first: count)
    preactivations.append(z, first: count)
  }

  /// Removes samples that are not finite.
  /// - Returns: how many there were.
  mutating func removeNonFinite() -> Int {
    if inputs.isFinite && preactivations.isFinite { return 0 }
    var kept = 0
    for row in 0..<inputs.rows where inputs.isFinite(row: row) && preactivations.isFinite(row: row) {
      if kept < row {
        inputs.copyRow(row, to: kept)
        preactivations.copyRow(row, to: kept)
      }
      kept += 1
    }
    let removed = inputs.rows - kept
    inputs.resize(rows: kept)
    preactivations.resize(rows: kept)
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
    if 2 * inputs.rows > wanted { removeAll() }
  }

  /// After a refresh that failed: what there is stays, and grows, but a window that is full can only be begun anew.
  mutating func removeAllIfFull() {
    isFrozen = false
    if inputs.rows >= wanted { removeAll() }
  }

  private mutating func removeAll() {
    inputs.resize(rows: 0)
    preactivations.resize(rows: 0)
  }
}
