import Foundation

extension Reference {
  /// eta, the softmax of each row of z, and nu = eta (1 - eta), in which 1 - eta is the sum of all the others.
  public static func softmax(z: [Double], n: Int, m: Int) -> (eta: [Double], nu: [Double]) {
    precondition(z.count == n * m)
    var eta = [Double](repeating: 0, count: n * m)
    var nu = eta
    for sample in 0..<n {
      let row = sample * m..<(sample + 1) * m
      // not max(): a NaN anywhere has to reach every entry
      let largest = z[row].reduce(-Double.infinity) { $1.isNaN || $1 > $0 ? $1 : $0 }
      for i in row { eta[i] = exp(z[i] - largest) }
      let total = eta[row].reduce(0, +)
      for i in row { eta[i] /= total }
      for i in row {
        var others = 0.0
        for k in row where k != i { others += eta[k] }
        nu[i] = eta[i] * others
      }
    }
    return (eta, nu)
  }

  /// What a batch of samples with known labels says about the logits z.
  public struct CrossEntropy: Sendable {
    /// The sum over samples of -log eta_label.
    public var loss = 0.0
    /// Samples whose largest logit, the first of equal ones, is the label's; none with a NaN.
    public var correct = 0
    /// (eta - onehot) scale, (n,m).
    public var delta: [Double] = []

    public init() {}
  }

  public static func crossEntropy(z: [Double], labels: [Int32], n: Int, m: Int, scale: Double) -> CrossEntropy {
    precondition(z.count == n * m && labels.count == n)
    var result = CrossEntropy()
    result.delta = softmax(z: z, n: n, m: m).eta
    for sample in 0..<n {
      let row = Array(z[sample * m..<(sample + 1) * m])
      let label = Int(labels[sample])
      let first = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
      if first == label, !row.contains(where: \.isNaN) { result.correct += 1 }
      result.loss += logarithmOfSum(row, above: label)
      result.delta[sample * m + label] -= 1
    }
    for i in result.delta.indices { result.delta[i] *= scale }
    return result
  }

  /// log sum_i e^{z_i - z_label}. With the label on top it is log(1 + the others), exact however small they are.
  private static func logarithmOfSum(_ row: [Double], above label: Int) -> Double {
    if row.contains(where: \.isNaN) { return .nan }
    var top = 0
    for i in row.indices where row[i] > row[top] { top = i }
    if row[label] == row[top] { top = label }
    var others = 0.0
    for i in row.indices where i != top { others += exp(row[i] - row[top]) }
    return (row[top] - row[label]) + log1p(others)
  }
}
