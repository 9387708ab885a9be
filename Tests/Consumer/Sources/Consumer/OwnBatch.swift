import FisherKit

/// Mini-batches from arrays of one's own: rows and flat, with the bias column or without, and a data set's samples.
func checkBatches() throws {
  let rows: [[Float]] = [[1, 2, 3], [4, 5, 6]]
  let padded: [[Float]] = [[1, 2, 3, 1], [4, 5, 6, 1]]
  expect(try Matrix(rows: rows, bias: true).elements == padded, "a matrix from rows")
  expect(try Matrix(rows.flatMap { $0 }, columns: 3, bias: true).elements == padded, "a matrix from a flat array")
  do {
    _ = try Matrix<Float>(rows: [[1, 2], [3]])
    expect(false, "rows of two lengths are refused")
  } catch {
    expect("\(error)" == "matrix, row 1: expected 2 elements like row 0, found 1 elements", "\(error)")
  }

  // A network's input is a property of a class.
  let model = try Sequential<Float>.perceptron(shape: [3, 4, 2], activation: Tanh(), batchCapacity: 5)
  model.input.assign(rows, bias: true)
  expect(model.input.elements == padded, "an input from rows")
  model.input.setToZero()
  let flat = rows.flatMap { $0 }
  model.input.assign(flat.span, bias: true)
  expect(model.input.elements == padded, "an input from a span")
  model.input.withMutableRow(1) { row in for j in 0..<3 { row[j] *= 2 } }
  let sum = model.input.withRow(1) { row in row.indices.reduce(0) { $0 + row[$1] } }
  expect(sum == 31 && model.input[1, 2] == 12, "a row of an input, summed to \(sum)")

  let data = Dataset(
    features: .bytes([0, 51, 102, 255, 204, 153], scale: 1.0 / 255), labels: [0, 1], width: 3, classes: 2)
  let indices: [Int32] = [1, 0, 1]
  data.gather(&model.input, indices: indices.span)
  let gathered = model.input.elements
  expect(gathered.map(\.last) == [1, 1, 1] && gathered[0] == gathered[2], "gathered samples: \(gathered)")
  let expected: [[Double]] = [[1, 0.8, 0.6, 1], [0, 0.2, 0.4, 1], [1, 0.8, 0.6, 1]]
  expect(distance(gathered.map { $0.map(Double.init) }, expected) < 1e-6, "gathered samples: \(gathered)")
}
