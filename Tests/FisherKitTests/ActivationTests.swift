import FisherKit
import FisherKitTestSupport
import Testing

@Suite struct ActivationTests {
  private let points = Array(stride(from: -6.0, through: 6.0, by: 0.37)) + [-100, 100, 0]

  /// The scalar functions against the reference.
  @Test func scalarForms() throws {
    let pairs: [(any Activation, Reference.Activation)] = [
      (Tanh(), .tanh), (Sigm(), .sigm), (Relu(), .relu(iota: 0, omega: 0)),
      (try Relu(iota: 0.2, omega: 0.5), .relu(iota: 0.2, omega: 0.5)), (try Elu(alpha: 0.3), .elu(alpha: 0.3)),
      (Linear(), .linear), (Softplus(), .relu(iota: 0, omega: 1)), (LeakyRelu(), .relu(iota: 0.01, omega: 0)),
      (try LeakyRelu(iota: 0.3), .relu(iota: 0.3, omega: 0)), (Gelu(), .gelu), (Silu(), .silu),
    ]
    for (activation, reference) in pairs {
      for z in points {
        for (found, expected) in [
          (activation.value(at: z), reference.value(z)), (activation.derivative(at: z), reference.derivative(z)),
          (activation.nu(at: z), reference.nu(z)),
        ] {
          #expect(abs(found - expected) <= 1e-13 * abs(expected), "\(activation) at z = \(z)")
        }
      }
    }
  }

  /// The matrix forms, by C kernel or not, against the scalar ones.
  @Test(arguments: try activations.indices)
  func matrixForms(index: Int) throws {
    let activation = try activations[index]
    let columns = 6
    let rows = points.count / columns
    let z = try Matrix<Double>.make(points, rows: rows, columns: columns)
    var value = try Matrix<Double>(rows: rows, columns: columns + 1)
    var nu = try Matrix<Double>(rows: rows, columns: columns)
    var delta = try Matrix<Double>(rows: rows, columns: columns)
    for i in 0..<rows {
      value[i, columns] = 1
      for j in 0..<columns { delta[i, j] = 2 }
    }
    activation.values(&value, of: z)
    activation.nu(&nu, of: z)
    activation.backward(&delta, of: z)
    for i in 0..<rows {
      #expect(value[i, columns] == 1, "the bias column is not the activation's")
      for j in 0..<columns {
        let at = z[i, j]
        #expect(abs(value[i, j] - activation.value(at: at)) <= 1e-13 * abs(value[i, j]), "\(activation) at \(at)")
        #expect(abs(nu[i, j] - activation.nu(at: at)) <= 1e-13 * abs(nu[i, j]), "ν of \(activation) at \(at)")
        let slope = 2 * activation.derivative(at: at)
        #expect(abs(delta[i, j] - slope) <= 1e-13 * abs(slope), "f' of \(activation) at \(at)")
      }
    }
  }

  /// Eq 4 for any Bernoulli output gives what Table 1 gives for tanh; a saturated neuron has no information.
  @Test func bernoulliRule() {
    for z in stride(from: -5.0, through: 5.0, by: 0.25) {
      #expect(abs(GenericTanh().nu(at: z) - Tanh().nu(at: z)) < 1e-10)
    }
    #expect(GenericTanh().nu(at: 100) == 0)
    #expect(GenericTanh().nu(at: .nan).isNaN)
  }

  /// The scalar forms of silu and gelu where their factors are 0 and ∞, and of all where z is no number.
  @Test func limits() throws {
    for activation in [Gelu(), Silu()] as [any Activation] {
      for z in [1e4, 1e200, .infinity] {
        #expect(activation.value(at: z) == z && activation.derivative(at: z) == 1, "\(activation) at \(z)")
        #expect(activation.value(at: -z) == 0 && activation.derivative(at: -z) == 0, "\(activation) at \(-z)")
        #expect(activation.nu(at: z) == 1 && activation.nu(at: -z) == 0, "\(activation) at ±\(z)")
      }
      #expect(activation.value(at: 0) == 0 && activation.derivative(at: 0) == 0.5)
      #expect(activation.derivative(at: .nan).isNaN && activation.nu(at: .nan).isNaN)
    }
    for activation in try activations { #expect(activation.value(at: .nan).isNaN, "\(activation)") }
  }

  @Test func metricForm() throws {
    let hard = try #require(try Relu(iota: 0.1).metricForm as? Relu)
    #expect(hard.omega == 1 && hard.iota == 0.1)
    let smooth = try #require(try Relu(omega: 0.5).metricForm as? Relu)
    #expect(smooth.omega == 0.5)
    #expect(Tanh().metricForm is Tanh)
    let leaky = try #require(try LeakyRelu(iota: 0.2).metricForm as? LeakyRelu)
    #expect(leaky.iota == 0.2 && LeakyRelu().iota == 0.01)
  }
}
