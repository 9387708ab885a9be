/// The numbers of a layer on their way to a file or from it; one visit serves both: see ``KeepableLayer/exchange(_:)``.
public struct KeptTensors<Scalar: KernelScalar> {
  /// Names the file and the layer, for an error.
  public let place: String
  /// The layer's place in the network, such as `layers.0.body`.
  private let prefix: String
  private let shapes: [LayerRecord.Tensor]
  /// Those of a file that is read; `nil` where one is written.
  private let source: [String: Safetensors.Tensor]?
  /// Those that were handed over.
  private(set) var written: [Safetensors.Tensor] = []

  init(_ shapes: [LayerRecord.Tensor], prefix: String, source: [String: Safetensors.Tensor]?, place: String) {
    (self.shapes, self.prefix, self.source, self.place) = (shapes, prefix, source, place)
  }

  /// Takes some columns of a matrix, by default all, row by row for a tensor, or puts the tensor's elements there.
  ///
  /// It is to be one that ``KeepableLayer/tensors(of:)`` names, with as many elements.
  /// - Throws: ``DataError`` for elements that this precision cannot hold.
  public mutating func exchange(
    _ name: String, _ matrix: inout Matrix<Scalar>, columns: Range<Int>? = nil
  ) throws(DataError) {
    let columns = columns ?? 0..<matrix.columns
    guard let shape = shapes.first(where: { $0.name == name })?.shape else {
      fatalError("\(place): the tensor \(name) is none of those that the layer names")
    }
    demand(
      shape.reduce(1, *) == matrix.rows * columns.count,
      "\(place): \(matrix.rows) × \(columns.count) elements of \(name), and a shape of \(shape)")
    let full = "\(prefix).\(name)"
    if let source {
      // (that it is there, of this shape, was seen before)
      guard let tensor = source[full], matrix.assign(tensor.elements, columns: columns) == nil else {
        throw DataError(place, expected: "numbers of \(full) that \(Scalar.self) can hold", found: "larger ones")
      }
    } else {
      written.append(.init(name: full, shape: shape, elements: NPYArray.elements(of: matrix, columns: columns)))
    }
  }
}
