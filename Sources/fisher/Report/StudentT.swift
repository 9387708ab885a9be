import Foundation

/// Student's t distribution with a whole number of degrees of freedom ν.
struct StudentT {
  var degrees: Int

  /// P(|T| ≤ t), by the finite sums over powers of cos θ, tan θ = t/√ν, that hold for whole ν.
  func central(_ t: Double) -> Double {
    let angle = atan(t / Double(degrees).squareRoot())
    let (sine, cosine) = (sin(angle), cos(angle))
    let isOdd = degrees % 2 == 1
    var (term, sum) = (isOdd ? cosine : 1, 0.0)
    var k = isOdd ? 3 : 2
    while k <= degrees {
      sum += term
      term *= cosine * cosine * Double(k - 1) / Double(k)
      k += 2
    }
    return isOdd ? 2 / .pi * (angle + sine * sum) : sine * sum
  }

  /// The t with P(|T| ≤ t) = p.
  func quantile(central p: Double) -> Double {
    var (low, high) = (0.0, 1.0)
    while central(high) < p { high *= 2 }
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if central(middle) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
