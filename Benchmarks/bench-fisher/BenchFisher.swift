import ArgumentParser
import CKernels
import FisherKit
import Foundation
import TestSupport
import ToolSupport

@main
struct BenchFisher: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-fisher",
    abstract: "Checks each kernel against the reference implementation, then times it.",
    discussion: """
      Shapes: n samples, d inputs of a neuron (the bias counts as one), m neurons, o outputs of the layer above. \
      Times are medians; the spread is the middle half of the repetitions. GFLOP/s count what the formula needs, and \
      GB/s every operand read and every result written once. The peak is a 2048 x 2048 x 2048 product by BLAS in the \
      same run, of the same type and with as many threads. The error is relative to the reference in double \
      precision. A kernel that is wrong is not timed, and the exit status is 70.

      The C kernels are optimised in debug builds too: `swift run bench-fisher` needs no -c release. It takes about two \
      minutes.
      """,
    version: FisherKitVersion.current)

  @Option(help: ArgumentHelp("Only the kernels whose name contains this.", valueName: "text")) var filter: String?
  @Option(help: ArgumentHelp("float, double or both.", valueName: "type")) var precision = PrecisionChoice.float
  @Option(help: ArgumentHelp("Threads (default: OMP_NUM_THREADS, or all cores).", valueName: "P")) var threads: Int?
  @Option(help: ArgumentHelp("CPU level (default: FISHERKIT_CPU, or the best there is).", valueName: "name"))
  var level: String?
  @Option(help: ArgumentHelp("Where to write the rows as JSON.", valueName: "file")) var json: String?
  @Flag(help: "Fewer repetitions: a look, not a measurement.") var quick = false

  func validate() throws {
    if let threads, !(1...4096).contains(threads) {
      throw ValidationError("--threads: expected 1 to 4096, found \(threads)")
    }
    if let level, CPULevel.named(level) == nil {
      let known = Compute.levels.joined(separator: ", ")
      throw ValidationError("--level: expected one that this CPU has (\(known)), found \(level)")
    }
    if selected(of: .float).isEmpty {
      let names = Catalogue.kernels(Float.self).map { $0.kernel }.joined(separator: ", ")
      throw ValidationError("--filter: expected a part of the name of a kernel (\(names)), found \(filter ?? "")")
    }
  }

  static func main() {
    Standard.prepare()
    do {
      try Environment.validate()
      try parse().run()
    } catch {
      Foundation.exit(report(error))
    }
  }

  /// Every failure is one line, and an exit status as with the other tool.
  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as BenchError:
      Standard.printError(line: "\(error)")
      return ExitStatus.failure
    case let error as DataError:
      Standard.printError(line: "--json: \(error)")
      return ExitStatus.failure
    default:
      if exitCode(for: error) == .success {
        Standard.print(fullMessage(for: error) + "\n")
        return 0
      }
      Standard.printError(line: "\(message(for: error)) (see bench-fisher --help)")
      return ExitStatus.wrongCommandLine
    }
  }

  func run() throws {
    let file = try openJSON()
    do {
      let measurements = try measure()
      try file?.write(JSONRow.text(measurements))
      try file?.finish()
      let failed = measurements.count { $0.timing == nil }
      if failed > 0 { throw BenchError.wrong(rows: failed, of: measurements.count) }
    } catch {
      file?.abandon()
      throw error
    }
  }

  private func openJSON() throws -> WholeFile? {
    do {
      return try json.map { try WholeFile(path: $0) }
    } catch {
      throw ValidationError("--json: \(error)")
    }
  }

  private func measure() throws -> [Measurement] {
    if let level = level.flatMap(CPULevel.named) { fk_level_select(level) }
    let threads = Int32(threads ?? Compute.threads)
    let patience = quick ? Patience.quick : Patience.usual
    show("\(Machine.summary); \(Compute.level), \(threads) threads; load \(Table.fixed(Machine.load, 2))")
    let peaks = try precision.types.map { ($0, try peak(of: $0, threads, patience)) }
    show("\n" + Table.header)
    var measurements: [Measurement] = []
    for (type, peak) in peaks {
      for kernel in selected(of: type) {
        for shape in kernel.shapes {
          let measurement = Measurement(
            kernel, shape, level: Compute.level, threads: threads, peak: peak, patience: patience)
          measurements.append(measurement)
          show(Table.row(measurement))
        }
      }
    }
    show("")
    for (type, before) in peaks { warn(of: type, before, after: try peak(of: type, threads, patience)) }
    show("load \(Table.fixed(Machine.load, 2))")
    return measurements
  }

  private func selected(of type: Reference.Precision) -> [any KernelBench.Type] {
    let all = type == .float ? Catalogue.kernels(Float.self) : Catalogue.kernels(Double.self)
    return all.filter { kernel in filter.map { kernel.kernel.contains($0) } ?? true }
  }

  private func peak(of type: Reference.Precision, _ threads: Int32, _ patience: Patience) throws -> Peak {
    let peak =
      try type == .float
      ? Peak.measure(Float.self, threads: threads, patience: patience)
      : Peak.measure(Double.self, threads: threads, patience: patience)
    show("peak \(type == .float ? "sgemm" : "dgemm") 2048: \(Table.fixed(peak.gflops, 1)) GFLOP/s")
    return peak
  }

  private func warn(of type: Reference.Precision, _ before: Peak, after: Peak) {
    let drift = after.gflops / before.gflops - 1
    if abs(drift) > 0.1 {
      show(
        "warning: the peak moved by \(Table.fixed(100 * drift, 0))% during the run: the machine was busy, "
          + "and the fractions are off by as much")
    }
  }
}

enum PrecisionChoice: String, CaseIterable, ExpressibleByArgument {
  case float, double, both

  var types: [Reference.Precision] {
    switch self {
    case .float: [.float]
    case .double: [.double]
    case .both: [.float, .double]
    }
  }
}

enum BenchError: Error, CustomStringConvertible {
  case kernel(String, Int32)
  case wrong(rows: Int, of: Int)

  var description: String {
    switch self {
    case .kernel(let name, let status): "\(name): expected status 0, found \(status)"
    case .wrong(let rows, let all): "expected all \(all) rows to be right, found \(rows) wrong"
    }
  }
}

/// At once, in a pipe as on a terminal.
private func show(_ line: String) { Standard.print(line + "\n") }
