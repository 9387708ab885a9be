import CKernels
import FisherKit
import FisherKitTestSupport

/// An element type with kernels to time and a reference to check them against.
typealias BenchScalar = KernelScalar & ReferenceScalar

/// One kernel at one shape: its operands, the call that is timed, and the check that comes before.
///
/// A new kernel is a file with one of these and a line in `Catalogue`.
protocol KernelBench {
  /// The name of the C function, without its prefix.
  static var kernel: String { get }
  static var shapes: [Shape] { get }
  static var precision: Reference.Precision { get }

  /// Series of shapes for `--scaling`; none unless a kernel says so.
  static var sweeps: [Sweep] { get }
  /// The sizes that the peer script is told for this kernel, by name, or nil where a comparison would not be fair. The
  /// script knows kernels by their names, and one that it does not know has no peer.
  static func peerSizes(_ shape: Shape) -> [String: Int]?

  init(_ shape: Shape, threads: Int32)

  /// Floating-point operations of a call, by the formula in the kernel's contract. Where that has none (elementwise
  /// kernels), every operation counts 1, and so does every exponential, logarithm, division and root.
  var flops: Double { get }
  /// The least a call must move: every operand read once, every result written once. Work space does not count.
  var bytes: Double { get }

  /// Brings operands that a call overwrites back to what they were. Not timed.
  func reset()
  /// What is timed: one call.
  func call() -> fk_status
  /// Compares the results of the first call with the reference; more than one where a kernel has several results.
  func check() -> [Comparison]
}

extension KernelBench {
  static var sweeps: [Sweep] { [] }

  static func peerSizes(_ shape: Shape) -> [String: Int]? {
    Dictionary(uniqueKeysWithValues: shape.sizes.map { ($0.name, $0.size) })
  }

  func reset() {}
}
