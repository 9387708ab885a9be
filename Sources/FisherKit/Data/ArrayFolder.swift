import Foundation

/// A folder with a data set in four NumPy arrays: `x_train.npy` and `x_test.npy` with samples along the first dimension and
/// features along all others, taken as they are, and `y_train.npy` and `y_test.npy` with their targets. Integers of one
/// dimension are classes, counted from 0; floats, and integers of two dimensions, are numbers: one for each sample, or a row.
public enum ArrayFolder {
  private static let names = ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"]

  /// Whether a folder has one of the four.
  public static func isOne(path: String) -> Bool {
    names.contains { FileManager.default.fileExists(atPath: "\(path)/\($0)") }
  }

  /// Reads the folder.
  /// - Parameter validationCount: how many of the last training samples are for validation; by default a sixth.
  public static func load(path: String, validationCount: Int? = nil) throws(DataError) -> DataSplit {
    for name in names where !FileManager.default.fileExists(atPath: "\(path)/\(name)") {
      throw DataError(path, expected: names.joined(separator: ", "), found: "no \(name)")
    }
    let training = try set(in: path, "train")
    let test = try set(in: path, "test")
    guard training.width == test.width else {
      throw DataError(
        "\(path)/x_test.npy", expected: "\(training.width) features a sample like x_train.npy", found: "\(test.width)")
    }
    switch (training.targets, test.targets) {
    case (.classes, .classes): break
    case (.numbers(_, let width), .numbers(_, let other)):
      guard width == other else {
        throw DataError(
          "\(path)/y_test.npy", expected: "\(width) numbers a sample like y_train.npy", found: "\(other)")
      }
    default:
      throw DataError(
        "\(path)/y_test.npy", expected: "\(training.targets.kind) like y_train.npy", found: test.targets.kind)
    }
    return try DataSplit(
      name: path, samples: training, validationCount: validationCount ?? max(1, training.count / 6), test: test)
  }

  private static func set(in folder: String, _ kind: String) throws(DataError) -> Dataset {
    let x = try NPYArray(path: "\(folder)/x_\(kind).npy")
    guard x.shape.count >= 2, let count = x.shape.first, x.count > 0 else {
      throw DataError(
        x.place, expected: "samples, each with its features (2 dimensions or more)",
        found: "shape \(NPYArray.tuple(x.shape))")
    }
    let targets = try targets("\(folder)/y_\(kind).npy", samples: count)
    return Dataset(features: .floats(try x.floats()), targets: targets, width: x.count / count)
  }

  private static func targets(_ path: String, samples: Int) throws(DataError) -> Targets {
    let y = try NPYArray(path: path)
    guard (1...2).contains(y.shape.count), y.shape.last != 0 else {
      throw DataError(
        path, expected: "a target for each sample, or a row of them (1 or 2 dimensions)",
        found: "shape \(NPYArray.tuple(y.shape))")
    }
    guard y.shape[0] == samples else {
      throw DataError(path, expected: "targets of \(samples) samples, as many as it has x", found: "\(y.shape[0])")
    }
    if y.isOfIntegers, y.shape.count == 1 { return try classes(of: y) }
    return .numbers(try y.floats(), width: y.count / samples)
  }

  /// More than any softmax layer has neurons.
  private static let mostClasses = 1 << 24

  private static func classes(of y: NPYArray) throws(DataError) -> Targets {
    let numbers: [Double] =
      switch y.elements {
      case .float32(let elements): elements.map(Double.init)
      case .float64(let elements): elements
      }
    if let i = numbers.firstIndex(where: { $0 < 0 || $0 >= Double(mostClasses) }) {
      throw DataError(
        y.place, expected: "classes from 0 to \(mostClasses - 1)",
        found: "\(Int(numbers[i])) at index \(NPYArray.tuple([i]))")
    }
    return .classes(numbers.map { Int32($0) }, count: Int(numbers.max() ?? 0) + 1)
  }
}

extension NPYArray {
  /// The elements in single precision.
  fileprivate func floats() throws(DataError) -> [Float] {
    switch elements {
    case .float32(let elements): return elements
    case .float64(let elements):
      let floats = elements.map { Float($0) }
      if let i = floats.firstIndex(where: { !$0.isFinite }) {
        throw notFinite(at: i, "\(elements[i]), too large for float32,", place: place)
      }
      return floats
    }
  }
}
