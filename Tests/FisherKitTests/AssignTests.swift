import FisherKit
import FisherKitTestSupport
import Testing

/// What a process said that ended itself.
func words(_ result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}

/// Matrices from arrays, spans and memory, with the bias column or without.
@Suite struct AssignTests {
  private static let shapes = [(0, 3), (1, 1), (1, 17), (7, 33), (50, 784), (4, 64)]

  @Test(arguments: shapes, [false, true]) func fromNumbers(shape: (Int, Int), bias: Bool) throws {
    try fromNumbers(Float.self, shape.0, shape.1, bias)
    try fromNumbers(Double.self, shape.0, shape.1, bias)
  }

  private func fromNumbers<S: TestScalar>(_: S.Type, _ n: Int, _ width: Int, _ bias: Bool) throws {
    var random = SplitMix64(seed: 121)
    let flat = S.narrow(random.normal(n * width))
    let rows = (0..<n).map { Array(flat[$0 * width..<($0 + 1) * width]) }
    let expected = rows.map { $0 + (bias ? [1] : []) }
    let columns = width + (bias ? 1 : 0)
    // (no rows say nothing of their width)
    let fromRows = try Matrix<S>(rows: rows, bias: bias)
    #expect(fromRows.elements == expected && fromRows.columns == (n > 0 ? columns : bias ? 1 : 0))
    let fromFlat = try Matrix<S>(flat, columns: width, bias: bias)
    #expect(fromFlat.elements == expected && fromFlat.columns == columns)
    #expect(try Matrix<S>(flat.span, columns: width, bias: bias).elements == expected)

    var matrix = try Matrix<S>(rows: n + 2, columns: columns)
    func check(_ what: String, _ fill: (inout Matrix<S>) -> Void) {
      matrix.resize(rows: n + 2)
      matrix.fill(with: .nan)
      fill(&matrix)
      let isClean = paddingIsZero(matrix)
      #expect(isClean && matrix.elements == expected, "\(S.self) \(n)×\(width), \(what)")
    }
    check("rows") { $0.assign(rows, bias: bias) }
    check("flat") { $0.assign(flat, bias: bias) }
    check("span") { $0.assign(flat.span, bias: bias) }
    check("buffer") { matrix in flat.withUnsafeBufferPointer { matrix.assign($0, bias: bias) } }
  }

  @Test func nothing() throws {
    var matrix = try Matrix<Double>(rows: 3, columns: 2)
    matrix.assign([])
    #expect(matrix.rows == 0)
    #expect(try Matrix<Double>(rows: []).columns == 0)
    #expect(try Matrix<Double>(rows: [[], []], bias: true).elements == [[1], [1]])
    #expect(try Matrix<Double>([] as [Double], columns: 0).rows == 0)
    matrix.assign([[1, 2], [3, 4], [5, 6]])
    #expect(matrix.rows == 3)
  }

  /// What data can cause is thrown.
  @Test func refusals() {
    #expect(
      throws: FisherError.invalidArgument(what: "x, row 2", expected: "2 elements like row 0", found: "3 elements")
    ) { _ = try Matrix<Float>(rows: [[1, 2], [3, 4], [5, 6, 7]], bias: true, what: "x") }
    #expect(
      throws: FisherError.invalidArgument(what: "x", expected: "whole rows of 3 elements", found: "4 elements")
    ) { _ = try Matrix<Float>([1, 2, 3, 4], columns: 3, what: "x") }
    #expect(
      throws: FisherError.invalidArgument(what: "matrix", expected: "whole rows of 0 elements", found: "1 elements")
    ) { _ = try Matrix<Float>([1], columns: 0) }
    #expect(throws: FisherError.sizeOverflow(what: "matrix")) {
      _ = try Matrix<Float>([] as [Float], columns: .max, bias: true)
    }
  }

  /// A programmer's mistakes end the process with words, in optimised builds too.
  @Test func mistakes() async throws {
    let ragged = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var matrix = try Matrix<Float>(rows: 3, columns: 3)
      matrix.assign([[1, 2], [1, 2, 3]], bias: true)
    }
    #expect(words(ragged).contains("row 1 has 3 elements, expected 2"))
    let partial = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var matrix = try Matrix<Float>(rows: 3, columns: 3)
      matrix.assign([1, 2, 3, 4])
    }
    #expect(words(partial).contains("4 elements do not make whole rows of 3"))
    let many = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var matrix = try Matrix<Float>(rows: 1, columns: 1)
      matrix.assign([1, 2])
    }
    #expect(words(many).contains("2 rows do not fit a matrix made for 1"))
    let product = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var matrix = try Matrix<Float>(rows: 2, columns: 2)
      try matrix.setToProduct(Matrix(rows: [[1, 2], [3, 4]]), Matrix(rows: [[1, 2], [3, 4], [5, 6]]))
    }
    #expect(words(product).contains("a product of 2×2 and 3×2"))
    let index = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let data = Dataset(features: .floats([1, 2]), labels: [0], width: 2, classes: 1)
      var batch = try Matrix<Float>(rows: 1, columns: 3)
      data.gather(&batch, indices: [1].span)
    }
    #expect(words(index).contains("sample 1 is outside of the data"))
  }

  /// A property of a class has rows by closures, a variable by spans as well.
  @Test func rowsOfAProperty() throws {
    final class Owner {
      var matrix: Matrix<Double>
      init() throws { matrix = try Matrix(rows: [[1, 2, 3], [4, 5, 6]]) }
    }
    let owner = try Owner()
    owner.matrix.withMutableRow(1) { row in
      for j in row.indices { row[j] *= 2 }
    }
    let (first, last) = owner.matrix.withRow(1) { ($0[0], $0[2]) }
    #expect(first == 8 && last == 12)
    let size = owner.matrix.withRow(0) { $0.count }
    #expect(size == 3)
    struct Refusal: Error {}
    #expect(throws: Refusal.self) { try owner.matrix.withMutableRow(0) { _ throws(Refusal) in throw Refusal() } }
  }

  /// A data set's samples, in the order of their numbers and more than once.
  @Test func gather() throws {
    func check<S: TestScalar>(_: S.Type) throws {
      let floats = Dataset(features: .floats([1, 2, 3, 4, 5, 6]), labels: [0, 1, 0], width: 2, classes: 2)
      let bytes = Dataset(features: .bytes([1, 2, 3, 4, 5, 6], scale: 0.5), labels: [0, 1, 0], width: 2, classes: 2)
      var batch = try Matrix<S>(rows: 5, columns: 3)
      let indices: [Int32] = [2, 0, 2]
      floats.gather(&batch, indices: indices.span)
      #expect(batch.elements == [[5, 6, 1], [1, 2, 1], [5, 6, 1]])
      bytes.gather(&batch, indices: indices.span.extracting(first: 2))
      #expect(batch.elements == [[2.5, 3, 1], [0.5, 1, 1]])
      bytes.gather(&batch, indices: indices.span.extracting(first: 0))
      #expect(batch.rows == 0)
    }
    try check(Float.self)
    try check(Double.self)
  }
}
