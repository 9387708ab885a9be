import FisherKitTestSupport
import Foundation

/// A folder with a data set in NumPy's arrays, in which z = x W is known: 90 samples of 4 features to train and validate, 30
/// to test.
struct ArraySet {
  static let weights: [Double] = [1, -2, 0.5, 0, 2, 0.25, -1, 1]
  let folder: Scratch
  var path: String { folder.path }

  enum Kind {
    /// z with some noise, labels z > 0, or which of both is larger.
    case numbers, labels, classes
  }

  init(_ kind: Kind) throws {
    folder = try Scratch()
    var generator = SplitMix64(seed: 4)
    for (name, count) in [("train", 90), ("test", 30)] {
      let x = generator.normal(4 * count)
      let z = Reference.gemm(a: x, b: Self.weights, m: count, n: 2, k: 4)
      try write("x_\(name)", x, "<f4", [count, 4])
      switch kind {
      case .numbers:
        try write("y_\(name)", zip(z, generator.normal(2 * count)).map { $0 + 0.1 * $1 }, "<f8", [count, 2])
      case .labels: try write("y_\(name)", z.map { $0 > 0 ? 1 : 0 }, "|i1", [count, 2])
      case .classes: try write("y_\(name)", (0..<count).map { z[2 * $0] > z[2 * $0 + 1] ? 0 : 1 }, "<i8", [count])
      }
    }
  }

  /// Integers where `descr` says so.
  func write(_ name: String, _ numbers: [Double], _ descr: String, _ shape: [Int]) throws {
    let elements: [UInt8]
    switch descr {
    case "<i8": elements = numbers.flatMap { number in withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) } }
    case "|i1": elements = numbers.map { UInt8(bitPattern: Int8($0)) }
    default: elements = NPYFile.elements(numbers, descr, shape: shape)
    }
    let bytes = NPYFile.bytes(header: NPYFile.header(descr, shape: shape), elements: elements)
    try Data(bytes).write(to: URL(fileURLWithPath: folder.file("\(name).npy")))
  }

  func remove() { folder.remove() }
}
