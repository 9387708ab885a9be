/// The samples seen since the last refresh, rows of X̃ (n,d) and of ν (n,m), up to a capacity.
///
/// Keeping samples and forming their Gram matrix once per refresh costs the same flops as adding every mini-batch to
/// it, but moves the matrix through memory once instead of at every step.
struct SampleWindow<Scalar: KernelScalar>: ~Copyable {
  private(set) var inputs: Matrix<Scalar>
  private(set) var nu: Matrix<Scalar>

  /// - Parameter neurons: columns of ν; 0 where ν is constant.
  init(capacity: Int, order: Int, neurons: Int, name: String) throws(FisherError) {
    let inputs = try Matrix<Scalar>(rows: capacity, columns: order, what: "\(name): inputs of \(capacity) samples")
    let nu = try Matrix<Scalar>(rows: capacity, columns: neurons, what: "\(name): ν of \(capacity) samples")
    self.inputs = inputs
    self.nu = nu
    removeAll()
  }

  var samples: Int { inputs.rows }
  var bytes: Int { inputs.bytes + nu.bytes }

  func hasRoom(for samples: Int) -> Bool { inputs.rows + samples <= inputs.capacity }

  mutating func append(inputs x: borrowing Matrix<Scalar>, nu batch: borrowing Matrix<Scalar>) {
    inputs.append(x)
    nu.append(batch)
  }

  mutating func append(inputs x: borrowing Matrix<Scalar>) {
    inputs.append(x)
    nu.resize(rows: inputs.rows)
  }

  mutating func removeAll() {
    inputs.resize(rows: 0)
    nu.resize(rows: 0)
  }

  /// The capacity to plan for: a whole refresh interval, but no more than `limit` samples (and one batch at least).
  static func plannedCapacity(for site: CurvatureSite<Scalar>, limit: Int = 8192) -> Int {
    let (interval, overflow) = site.batchSize.multipliedReportingOverflow(by: site.refreshInterval)
    return max(site.batchSize, overflow ? limit : min(interval, limit))
  }
}
