import CKernels
import FisherKit

/// The BLAS that is linked: its name and version, and the CPU whose kernels it runs.
struct BLASLibrary: Sendable {
  var name: String
  var core: String
  /// The bytes of those kernels' vectors, 0 where the core is not known.
  var bytes: Int
  /// The CPU level in force, and the bytes of its vectors.
  var level: String
  var levelBytes: Int

  static var current: BLASLibrary {
    BLASLibrary(
      name: String(cString: fk_blas_library()), core: String(cString: fk_blas_core()),
      bytes: Int(fk_blas_core_bytes(fk_blas_core())), level: Compute.level,
      levelBytes: Int(fk_level_bytes(fk_level_current())))
  }

  var summary: String { "BLAS \(name), core \(core)" }

  /// By its name it runs at a lower level than we do.
  var warning: String? {
    guard bytes > 0, bytes < levelBytes else { return nil }
    return "warning: BLAS runs its kernels for \(core), of \(bytes)-byte vectors, where \(level) has \(levelBytes): "
      + "large products are our own unless FISHERKIT_PRODUCTS=blas"
  }

  /// By its figures it does, or shared its cores all the time.
  static func warning(_ peak: Peak, _ conditions: String) -> String? {
    guard peak.isProductSlow else { return nil }
    return "warning: BLAS's product reaches \(fixed(peak.product / peak.arithmetic, 2)) of what the instructions are "
      + "worth (\(conditions)): its kernels are for another CPU, or the machine was busy"
  }
}
