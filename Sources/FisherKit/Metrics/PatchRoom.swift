/// Where patches are made some at a time: ``Observation/withRuns(_:_:)``.
struct PatchRoom<Scalar: KernelScalar>: ~Copyable {
  fileprivate(set) var patches: Matrix<Scalar>
  fileprivate(set) var places: [Int] = []

  /// For observations of a site: without rows where they bring their inputs.
  init(for site: CurvatureSite<Scalar>) throws(FisherError) {
    let rows = Self.rows(for: site)
    patches = try Matrix(rows: rows, columns: site.order, what: "\(site.name): patches of \(rows) positions")
    places.reserveCapacity(rows)
  }

  private static func rows(for site: CurvatureSite<Scalar>) -> Int {
    site.site.hasPatches ? min(site.batchRows, 256) : 0
  }

  var bytes: Int { patches.bytes + patches.capacity * MemoryLayout<Int>.stride }

  /// The same, before anything is allocated.
  static func bytes(for site: CurvatureSite<Scalar>) -> Int {
    sum(ofBytes: site.bytes(rows(for: site), site.order), rows(for: site) * MemoryLayout<Int>.stride)
  }
}

extension Observation {
  /// Hands over X̃ as a whole where it is there, and where its rows are patches some rows at a time, as many as `room` takes,
  /// with the range that they are. Allocates nothing.
  func withRuns(
    _ room: inout PatchRoom<Scalar>, _ body: (borrowing Matrix<Scalar>, Range<Int>) -> Void
  ) {
    guard patches != nil else { return body(inputs, 0..<rows) }
    for first in Swift.stride(from: 0, to: rows, by: max(1, room.patches.capacity)) {
      let range = first..<min(rows, first + room.patches.capacity)
      room.places.removeAll(keepingCapacity: true)
      for place in range { room.places.append(place) }
      room.patches.resize(rows: range.count)
      let places = room.places
      copyInputs(rows: places.span, to: &room.patches)
      body(room.patches, range)
    }
  }
}
