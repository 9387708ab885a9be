/// What a run found.
struct Results: Sendable {
  var measurements: [Measurement] = []
  var scalings: [Scaling] = []
  /// The machine's load each time that the peak was measured.
  var loads: [Double] = []
}

extension Session {
  /// The usual shapes of each kernel, with each number of threads.
  mutating func rows(of kernels: [any KernelBench.Type]) throws -> Results {
    var results = Results()
    for kernel in kernels {
      for shape in kernel.shapes {
        for count in threads { results.measurements.append(try row(kernel, shape, count)) }
      }
    }
    return results
  }

  /// The series of each kernel, of at most so many shapes: those of d, m and n with the most threads.
  mutating func scalings(of kernels: [any KernelBench.Type], longest: Int) throws -> Results {
    var results = Results()
    for kernel in kernels {
      for sweep in kernel.sweeps where sweep.size != .threads || threads.count > 1 {
        let counts = sweep.size == .threads ? threads.sorted() : [threads.max()!]
        var rows: [Measurement] = []
        for shape in sweep.shapes.prefix(longest) {
          for count in counts { rows.append(try row(kernel, shape, count)) }
        }
        results.measurements += rows
        if let scaling = Scaling(sweep, rows) { results.scalings.append(scaling) }
      }
    }
    show("\n" + ScalingTable.header)
    for scaling in results.scalings { show(ScalingTable.row(scaling)) }
    let off = results.scalings.count { $0.size != .threads && !$0.isWithinTolerance }
    if off > 0 { show("! \(off) exponents lie more than \(Scaling.tolerance) from that of the flop count") }
    return results
  }
}
