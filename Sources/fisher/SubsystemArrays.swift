import FisherKit

/// The arrays of a subsystem as they were read.
struct SubsystemArrays {
  let x: NPYArray
  let w: NPYArray
  let c: NPYArray?

  /// float64 in gives float64 out.
  var isDouble: Bool { [x, w, c].contains { $0?.isDouble ?? false } }

  /// X̃: X with the bias column.
  func inputs<S: KernelScalar>(_: S.Type) throws -> Box<S> {
    let features = try Matrix<S>(npy: x)
    var inputs = try Matrix<S>(rows: features.rows, columns: features.columns + 1, what: "inputs")
    for s in 0..<features.rows {
      for a in 0..<features.columns { inputs[s, a] = features[s, a] }
      inputs[s, features.columns] = 1
    }
    return Box(inputs)
  }

  func weights<S: KernelScalar>(_: S.Type) throws -> Box<S> { Box(try Matrix<S>(npy: w)) }
  func outerWeights<S: KernelScalar>(_: S.Type) throws -> Box<S> { Box(try Matrix<S>(npy: c!)) }
}

/// A matrix that can be passed around.
final class Box<Scalar: KernelScalar> {
  var matrix: Matrix<Scalar>
  init(_ matrix: consuming Matrix<Scalar>) { self.matrix = matrix }

  /// X̃Wᵀ, summed up in double precision.
  static func product(
    _ x: borrowing Matrix<Scalar>, _ w: borrowing Matrix<Scalar>
  ) throws(FisherError) -> Matrix<Scalar> {
    var z = try Matrix<Scalar>(rows: x.rows, columns: w.rows, what: "pre-activations")
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        var sum = 0.0
        for a in 0..<w.columns { sum += Double(x[s, a]) * Double(w[i, a]) }
        z[s, i] = Scalar(sum)
      }
    }
    return z
  }

  /// z = X̃Wᵀ, of W in this box. Refuses pre-activations that this precision cannot hold.
  func preactivations(of inputs: Box) throws -> Box {
    let z = try Self.product(inputs.matrix, matrix)
    guard z.isFinite else {
      throw DataError(
        "inputs and weights", expected: "products that a \(Scalar.self) can hold", found: "one that it cannot")
    }
    return Box(z)
  }
}

extension NPYArray {
  /// The same in single precision, where that is what it was made of.
  func rounded(unless isDouble: Bool) throws -> NPYArray {
    guard !isDouble, case .float64(let numbers) = elements else { return self }
    let rounded = numbers.map { Float($0) }
    guard rounded.allSatisfy(\.isFinite) else {
      throw DataError(place, expected: "numbers that float32 can hold", found: "one that it cannot")
    }
    return NPYArray(shape: shape, numbers: rounded, place: place)
  }

  /// An array of the precision of its elements.
  init<S: KernelScalar>(shape: [Int], numbers: [S], place: String) {
    if let numbers = numbers as? [Double] {
      self.init(shape: shape, elements: .float64(numbers), place: place)
    } else {
      self.init(shape: shape, elements: .float32(numbers.map { Float($0) }), place: place)
    }
  }
}
