/// The samples seen since the last refresh, or a bounded uniform sample of them: rows of X̃ (n,d) and of z (n,m).
///
/// Where an interval brings more samples than there is room for, each mini-batch gives its first rows: batches are
/// shuffled, so that is a uniform sample, the same one in every run. Keeping samples and forming the matrix once per
/// refresh costs the flops of adding every mini-batch to it, but moves the matrix through memory once.
struct SampleWindow<Scalar: KernelScalar>: ~Copyable {
  private(set) var inputs: Matrix<Scalar>
  private(set) var preactivations: Matrix<Scalar>
  /// What each mini-batch gives, once the first window, which may be a single mini-batch, is done.
  private let rowsPerBatch: Int
  private var isFirst = true
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
    rowsPerBatch = max(1, capacity / site.refreshInterval)
  }

  var bytes: Int { inputs.bytes + preactivations.bytes }

  /// The samples of a refresh interval, but no more than `limit`.
  static func capacity(for site: CurvatureSite<Scalar>, limit: Int) -> Int {
    let (interval, overflow) = site.batchSize.multipliedReportingOverflow(by: site.refreshInterval)
    return max(1, overflow ? limit : min(interval, limit))
  }

  /// Takes the first rows of a mini-batch; none once it is full.
  mutating func take(inputs x: borrowing Matrix<Scalar>, preactivations z: borrowing Matrix<Scalar>) {
    guard !isFrozen else { return }
    let count = min(isFirst ? x.rows : rowsPerBatch, x.rows, inputs.capacity - inputs.rows)
    inputs.append(x, first: count)
    preactivations.append(z, first: count)
  }

  /// Takes nothing more, until what is there is removed.
  mutating func freeze() {
    precondition(inputs.rows > 0, "a refresh needs at least one observation")
    isFrozen = true
  }

  /// After a refresh that failed: what there is stays, and grows, but a window that is full can only be begun anew.
  mutating func removeAllIfFull() {
    isFrozen = false
    guard inputs.rows == inputs.capacity else { return }
    inputs.resize(rows: 0)
    preactivations.resize(rows: 0)
  }

  /// Starts the next window.
  mutating func removeAll() {
    inputs.resize(rows: 0)
    preactivations.resize(rows: 0)
    (isFirst, isFrozen) = (false, false)
  }
}
