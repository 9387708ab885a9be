import FisherKit

/// f(z) = z/(1 + |z|) with a normal output: its value, its derivative, and how it is distributed. ν = f'² follows (eq 8).
struct Softsign: Activation {
  let name = "softsign"
  let output = NeuronOutput.gaussian
  func value(at z: Double) -> Double { z / (1 + abs(z)) }
  func derivative(at z: Double) -> Double { 1 / ((1 + abs(z)) * (1 + abs(z))) }

  // Optional: the same row by row, instead of element by element in double precision.
  func values<S: KernelScalar>(_ output: inout Matrix<S>, of z: borrowing Matrix<S>) {
    for s in 0..<z.rows {
      let from = z.row(s)
      var to = output.mutableRow(s)
      for j in from.indices { to[j] = from[j] / (1 + abs(from[j])) }
    }
  }
}

func checkActivation() throws {
  var generator = SeededGenerator(seed: 1)
  var z = try Matrix<Float>(rows: 6, columns: 5)
  z.fillNormal(deviation: 3, using: &generator)
  var output = try Matrix<Float>(rows: 6, columns: 6)
  output.fill(column: 5, with: 1)
  Softsign().values(&output, of: z)
  var nu = try Matrix<Float>(rows: 6, columns: 5)
  Softsign().nu(&nu, of: z)
  for s in 0..<6 {
    for j in 0..<5 {
      let (x, h) = (Double(z[s, j]), 1e-6)
      expect(abs(Double(output[s, j]) - Softsign().value(at: x)) < 1e-6, "value at \(x)")
      let slope = (Softsign().value(at: x + h) - Softsign().value(at: x - h)) / (2 * h)
      expect(abs(Double(nu[s, j]) - slope * slope) < 1e-6, "ν at \(x)")
    }
    expect(output[s, 5] == 1, "the bias column of row \(s)")
  }
}
