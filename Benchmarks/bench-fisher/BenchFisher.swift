import ArgumentParser
import CKernels
import FisherKit
import FisherKitTestSupport
import FisherKitToolSupport
import Foundation

@main
struct BenchFisher: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-fisher",
    abstract: "Checks each kernel against the reference implementation, then times it.",
    discussion: """
      Shapes: n samples, d inputs of a neuron (the bias counts as one), m neurons. P is the number of threads. A kernel \
      that is wrong is not timed, and the exit status is 70. Times are medians of at least 20 repetitions, or of one \
      second of them and at least 3, after two that do not count; the spread is the middle half of them.

      GFLOP/s count what the formula needs, and GB/s every operand read and every result written once. The peak is \
      what the CPU's multiply-adds are worth in registers, or a 2048 x 2048 x 2048 product by BLAS where that is more, \
      of the same type and with as many threads. The bound is compute where the peak is what limits a kernel, and memory \
      where it is the bandwidth, which is that of a pass over 512 MiB that reads two operands and writes one. Both are \
      measured before, between and after the rows, and the best counts. "of bound" is the share of that limit: above 1 \
      where operands stay in a cache, which is faster than memory. The error is relative to the reference in double \
      precision.

      --peer times the best of several PyTorch formulations right after each row that PyTorch has an equivalent of, in \
      the same way, and gives the ratio of the medians. --scaling times series of shapes instead of the usual ones, and \
      compares the exponents of the times with those of the flop counts.

      The C kernels are optimised in debug builds too: `swift run bench-fisher` needs no -c release. It takes about two \
      minutes.
      """,
    version: FisherKitVersion.current)

  @Option(help: ArgumentHelp("Only the kernels whose name contains this.", valueName: "text")) var filter: String?
  @Option(help: ArgumentHelp("float, double or both.", valueName: "type")) var precision = PrecisionChoice.float
  @Option(
    help: ArgumentHelp(
      "Numbers of threads, such as 1,2 (default: OMP_NUM_THREADS, or all cores; with --scaling also 1).",
      valueName: "P"))
  var threads: String?
  @Option(help: ArgumentHelp("CPU level (default: FISHERKIT_CPU, or the best there is).", valueName: "name"))
  var level: String?
  @Flag(help: "Fewer repetitions and shorter series: a look, not a measurement.") var quick = false
  @Flag(help: "How times grow with d, m, n and threads.") var scaling = false
  @Option(help: ArgumentHelp("A Python that has PyTorch, to compare with.", valueName: "python")) var peer: String?
  @Option(help: ArgumentHelp("What it runs (default: Benchmarks/peers/torch_kernels.py).", valueName: "file"))
  var peerScript: String?
  @Option(help: ArgumentHelp("Seconds it may take for an answer.", valueName: "s")) var peerLimit = 300.0
  @Option(help: ArgumentHelp("Where to write the rows as JSON.", valueName: "file")) var json: String?
  @Option(help: ArgumentHelp("Where to draw them below the roofline.", valueName: "file.svg")) var plot: String?
  @Option(help: ArgumentHelp("Where to write the table in Markdown.", valueName: "file.md")) var markdown: String?

  func validate() throws {
    _ = try threadCounts()
    if let level, CPULevel.named(level) == nil {
      let known = Compute.levels.joined(separator: ", ")
      throw ValidationError("--level: expected one that this CPU has (\(known)), found \(level)")
    }
    let kernels = Catalogue.kernels(Float.self)
    if kernels.allSatisfy({ !isSelected($0) }) {
      let names = kernels.filter { !scaling || !$0.sweeps.isEmpty }.map { $0.kernel }.joined(separator: ", ")
      throw ValidationError("--filter: expected a part of the name of a kernel (\(names)), found \(filter ?? "")")
    }
    if scaling, peer != nil { throw ValidationError("--peer: expected without --scaling, found both") }
    if scaling, plot != nil { throw ValidationError("--plot: expected without --scaling, found both") }
    if peer == nil, peerScript != nil { throw ValidationError("--peer-script: expected --peer with it, found none") }
    guard (0.1...86_400).contains(peerLimit) else {
      throw ValidationError("--peer-limit: expected 0.1 to 86400 seconds, found \(peerLimit)")
    }
    try validatePeer()
  }

  private func validatePeer() throws {
    guard let peer else { return }
    guard FileManager.default.isExecutableFile(atPath: peer), !isFolder(peer) else {
      throw ValidationError("--peer: expected the path of a Python, found no program at \(peer)")
    }
    guard FileManager.default.isReadableFile(atPath: script), !isFolder(script) else {
      let hint = peerScript == nil ? "; --peer-script says where it is" : ""
      throw ValidationError("--peer-script: expected a script, found none at \(script)\(hint)")
    }
  }

  private func isFolder(_ path: String) -> Bool {
    var isDirectory = ObjCBool(false)
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }

  private var script: String { peerScript ?? Peer.defaultScript }

  private func threadCounts() throws -> [Int32] {
    guard let threads else {
      let all = Int32(Compute.threads)
      return scaling && all > 1 ? [1, all] : [all]
    }
    let counts = threads.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) ?? 0 }
    guard counts.allSatisfy({ (1...Int32(Compute.mostThreads)).contains($0) }) else {
      throw ValidationError(
        "--threads: expected 1 to \(Compute.mostThreads), or several with commas between them, found \(threads)")
    }
    guard Set(counts).count == counts.count else {
      throw ValidationError("--threads: expected each number once, found \(threads)")
    }
    return counts
  }

  private func isSelected(_ kernel: any KernelBench.Type) -> Bool {
    (filter.map { kernel.kernel.contains($0) } ?? true) && (!scaling || !kernel.sweeps.isEmpty)
  }

  static func main() {
    ToolProcess.run {
      do {
        try Environment.validate()
        try parse().run()
        return 0
      } catch {
        return report(error)
      }
    }
  }

  /// Every failure is one line, and an exit status as with the other tool.
  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as BenchError:
      Standard.printError(line: "\(error)")
      return ExitStatus.failure
    default:
      if exitCode(for: error) == .success {
        Standard.print(fullMessage(for: error) + "\n")
        return 0
      }
      let message = message(for: error).split(separator: "\n").joined(separator: " ")
      Standard.printError(line: "\(message) (see bench-fisher --help)")
      return ExitStatus.wrongCommandLine
    }
  }

  func run() throws {
    ToolThreads.start(Int(try threadCounts().max() ?? 1))
    let reports = try Reports([("--json", json), ("--plot", plot), ("--markdown", markdown)])
    do {
      if let level = level.flatMap(CPULevel.named) { fk_level_select(level) }
      let peer = try peer.map { try Peer(python: $0, script: script, limit: peerLimit) }
      defer { peer?.close() }
      var session = try Session(
        types: precision.types, threads: threadCounts(), patience: quick ? .quick : .usual, peer: peer)
      let kernels = precision.types.flatMap { type in
        (type == .float ? Catalogue.kernels(Float.self) : Catalogue.kernels(Double.self)).filter(isSelected)
      }
      let found = try scaling ? session.scalings(of: kernels, longest: quick ? 3 : .max) : session.rows(of: kernels)
      let results = try session.finish(found)
      try reports.write("--json") { try JSONRow.text(results.measurements) }
      try reports.write("--plot") { RooflinePlot(results).svg }
      try reports.write("--markdown") { Markdown.text(results, torch: peer?.greeting.torch) }
      let failed = results.measurements.count { $0.timing == nil }
      if failed > 0 { throw BenchError.wrong(rows: failed, of: results.measurements.count) }
    } catch {
      reports.abandon()
      throw error
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
