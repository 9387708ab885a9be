internal import CKernels

/// How this process computes: its threads and its CPU's instructions.
public enum Compute {
  public static let mostThreads = 4096

  /// The number of threads that kernels use. Reading gives OMP_NUM_THREADS or the number of cores unless it was set;
  /// setting 0 goes back to that. Set it before optimizers and metrics are made: they size their work space by it.
  public static var threads: Int {
    get { Int(fk_default_threads()) }
    set {
      demand(newValue >= 0 && newValue <= mostThreads, "expected 0 to \(mostThreads) threads, found \(newValue)")
      fk_default_threads_set(Int32(newValue))
    }
  }

  /// The sets of instructions that the kernels are compiled for and this CPU has, from the plainest up.
  public static var levels: [String] {
    (0..<fk_level_count()).filter { fk_level_supported($0) != 0 }.map { String(cString: fk_level_name($0)) }
  }

  /// The instructions in force, such as "avx512": the best that this CPU has, or the one that the environment variable
  /// FISHERKIT_CPU names.
  public static var level: String { String(cString: fk_level_name(fk_level_current())) }

  /// Who computes products too large to be read straight from their operands: "own" kernels, or "BLAS, Haswell" with the
  /// CPU whose kernels it chose. Our own where those have narrower vectors than the instructions in force, unless the
  /// environment variable FISHERKIT_PRODUCTS says "blas" or "own". It goes by names and never by a measurement: the last
  /// places of all results depend on it, and a run that is resumed has to go on as it began.
  public static var products: String {
    fk_product_route_current() == FK_PRODUCTS_OWN ? "own" : "BLAS, \(String(cString: fk_blas_core()))"
  }
}
