internal import CKernels

/// What the products of ``Muon``'s iteration multiply.
public enum MuonPrecision: String, CaseIterable, Sendable {
  /// Numbers as they are.
  case full
  /// Rounded to bfloat16, of 8 bits, and summed in `Float`: as Muon was published, and up to twice as fast on CPUs that
  /// have AVX512_BF16. For `Float` on them alone.
  case bfloat16

  /// Whether this CPU, at the level in force, has the instructions of `bfloat16`.
  public static var isBfloat16Supported: Bool { fk_bfloat16_supported() != 0 }
}

/// The orthogonal factors UVᵀ of matrices G = UΣVᵀ, roughly: five steps of Newton and Schulz,
///
///     X₀ = G/‖G‖,  X_{k+1} = a X_k + b (X_k X_kᵀ) X_k + c (X_k X_kᵀ)² X_k,  (a, b, c) = (3.4445, −4.7750, 2.0315),
///
/// bring all singular values that are not next to nothing to between 0.7 and 1.2 (Jordan et al. 2024, whose coefficients
/// these are). All matrices of a model go at once: small ones are a thread's each, large ones all threads'.
///
/// With s ≤ l the sides of a matrix, the iteration is of its Gram matrix R = X₀X₀ᵀ (s,s) alone: all X_k = Q_k X₀ for
/// polynomials Q_k of R, which commute, so that all products are symmetric, and halves, but for the last; 3ls² + 17s³ flops.
/// In bfloat16 it is of X; 15ls² + 5s³ flops.
///
/// Memory: ls + 4s² numbers, or ls/2 + 2.5s², and ls more for a matrix of more rows than columns; of the largest matrix, or
/// of as many small ones as there are threads.
final class NewtonSchulz<Scalar: KernelScalar>: State {
  static var coefficients: (a: Double, b: Double, c: Double) { (3.4445, -4.7750, 2.0315) }
  static var iterations: Int { 5 }

  private let isBfloat16: Int32
  private let rows: [Int]
  private let columns: [Int]
  private let coefficients: [Double]
  private var places: [UnsafeMutablePointer<Scalar>?]
  private var strides: [Int]
  private let threads: Int32
  private let room: AlignedBuffer<UInt8>

  /// For matrices of these shapes.
  init(shapes: [(rows: Int, columns: Int)], precision: MuonPrecision = .full) throws(FisherError) {
    if precision == .bfloat16 {
      guard Scalar.self == Float.self, MuonPrecision.isBfloat16Supported else {
        throw .invalidArgument(
          what: "products in bfloat16", expected: "Float, and a CPU with AVX512_BF16",
          found: Scalar.self == Float.self ? "one without" : "\(Scalar.self)")
      }
    }
    isBfloat16 = precision == .bfloat16 ? 1 : 0
    (rows, columns) = (shapes.map(\.rows), shapes.map(\.columns))
    let (a, b, c) = Self.coefficients
    coefficients = Array(repeating: [a, b, c], count: Self.iterations).flatMap { $0 }
    places = Array(repeating: nil, count: shapes.count)
    strides = Array(repeating: 0, count: shapes.count)
    threads = Int32(Compute.threads)
    let what = "room to orthogonalise"
    let bytes = Scalar._kernels.newtonSchulzWorkSize(rows, columns, shapes.count, Self.iterations, isBfloat16, threads)
    guard bytes >= 0 else { throw .sizeOverflow(what: what) }
    room = try AlignedBuffer(count: bytes, what: what)
  }

  /// (all of it within a step)
  func visit(_ visitor: StateVisitor) throws { visitor.scratch("room", bytes: room.count) }

  /// What all matrices take.
  var work: Work {
    var (products, bytes) = (0.0, 0.0)
    for (rows, columns) in zip(rows, columns) {
      let (s, l, n) = (Double(min(rows, columns)), Double(max(rows, columns)), Double(Self.iterations))
      products += isBfloat16 == 0 ? 3 * l * s * s + (4 * n - 3) * s * s * s : n * (3 * l * s * s + s * s * s)
      bytes += Double(2 * rows * columns * MemoryLayout<Scalar>.stride)
    }
    return Work(products: products, bytes: bytes)
  }

  /// Matrix `index` is the first columns of this one, where it has to stay until it is orthogonalised.
  func place(_ matrix: inout Matrix<Scalar>, at index: Int) {
    demand(
      matrix.rows == rows[index] && matrix.columns >= columns[index],
      "expected \(rows[index])×\(columns[index]), found \(matrix.shape)")
    places[index] = matrix.storage.base
    strides[index] = matrix.stride
  }

  /// Replaces each G by UVᵀ; zeros stay zeros.
  func orthogonalize() {
    check(
      Scalar._kernels.newtonSchulz(
        places, strides, rows, columns, rows.count, coefficients, Self.iterations, isBfloat16, room.base, room.count,
        threads))
  }
}
