extension Metric {
  /// The curvatures of all sites: those of a form that every metric holds as it is, and the metric's for the others, which
  /// it gets and counts alone.
  func makeAllCurvatures<S: KernelScalar>(for all: [CurvatureSite<S>]) throws(FisherError) -> [any Curvature<S>] {
    var curvatures: [(any Curvature<S>)?] = []
    for site in all { curvatures.append(try site.curvatureOfItsForm()) }
    let bytesBeside = curvatures.reduce(0) { $0 + ($1?.bytes ?? 0) }
    var sites: [CurvatureSite<S>] = []
    for i in all.indices where curvatures[i] == nil {
      var site = all[i]
      site.bytesBeside = bytesBeside
      sites.append(site)
    }
    var made = try makeCurvatures(for: sites)[...]
    for i in curvatures.indices where curvatures[i] == nil { curvatures[i] = made.removeFirst() }
    return curvatures.compactMap { $0 }
  }
}
