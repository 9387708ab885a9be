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

  /// z = X̃Wᵀ, of W in this box. Refuses pre-activations that this precision cannot hold.
  func preactivations(of inputs: Box) throws -> Box {
    var z = try Matrix<Scalar>(rows: inputs.matrix.rows, columns: matrix.rows, what: "pre-activations")
    for s in 0..<z.rows {
      for i in 0..<z.columns {
        var sum = 0.0
        for a in 0..<matrix.columns { sum += Double(inputs.matrix[s, a]) * Double(matrix[i, a]) }
        z[s, i] = Scalar(sum)
      }
    }
    guard z.isFinite else {
      throw DataError(
        "inputs and weights", expected: "products that a \(Scalar.self) can hold", found: "one that it cannot")
    }
    return Box(z)
  }
}

extension NPYArray {
  /// An array of the precision of its elements.
  init<S: KernelScalar>(shape: [Int], numbers: [S], place: String) {
    if let numbers = numbers as? [Double] {
      self.init(shape: shape, elements: .float64(numbers), place: place)
    } else {
      self.init(shape: shape, elements: .float32(numbers.map { Float($0) }), place: place)
    }
  }
}
