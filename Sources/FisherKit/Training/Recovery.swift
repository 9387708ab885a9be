/// What a ``Trainer`` does about a run that goes astray. A mini-batch whose loss or gradients are not finite is left out.
/// Where the loss explodes, several mini-batches in a row are left out, or weights are no longer finite, the weights go back
/// to the last good ones, the optimizer begins anew, and the learning rate is halved.
public struct Recovery: Equatable, Sendable {
  /// How often the weights may go back before the run ends with an error; 0 ends it at the first thing that is not finite.
  public var attempts: Int

  /// - Parameter attempts: from 0 up.
  public init(attempts: Int = 10) {
    self.attempts = attempts
  }

  public static var off: Recovery { Recovery(attempts: 0) }

  package func validate() throws(FisherError) {
    try require(attempts >= 0, "recovery attempts", expected: "0 or more", found: attempts)
  }
}

/// The last good weights of a model, and the loss by which that is judged: an exponential average over some ten mini-batches,
/// and 500 samples at least.
///
/// A loss has exploded when that average is above three times what it was at the last good weights, and by more than what
/// it was at the start. A mini-batch counts for no more than five times that: in a network where a rare sample has a loss of
/// thousands one such mini-batch is no explosion, and the weights that went before it have the sample too. Weights are good when it is no more than half above the last good ones'; they are kept every 50
/// mini-batches, or as many as the average covers. Of a loss below zero, such as the −log of a density, it is the magnitude
/// that these multiples are of.
///
/// Memory: the parameters once more.
final class RecoveryWatch<Scalar: KernelScalar>: State {
  private var good: [KeptMatrix<Scalar>] = []
  private let horizon: Int
  private var average = 0.0
  /// What `average` would be if all losses were 1.
  private var weight = 0.0
  /// Mini-batches since the start, or since the weights went back.
  private var count = 0
  private var firstLoss: Double?
  /// Of the first mini-batch, before any step.
  private var startLoss: Double?
  private var goodLoss = Double.infinity
  private(set) var timesBack = 0
  private(set) var leftOutInARow = 0

  /// Times the first loss, plus 1, that no start is worth waiting for the average beyond.
  private static var beyond: Double { 1000 }
  /// Mini-batches in a row that may be left out before the weights are to blame.
  static var mostLeftOut: Int { 5 }

  init(model: any Model<Scalar>, batchSize: Int) throws(FisherError) {
    horizon = max(10, 500 / batchSize)
    for parameter in model.parameters { good.append(try KeptMatrix(like: parameter, what: "last good weights")) }
    keep(model)
  }

  var bytes: Int { stateBytes }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("last good weights", good)
    try visitor.visit("average", &average)
    try visitor.visit("weight", &weight)
    try visitor.visit("count", &count, in: 0...(.max))
    try visitor.visit("first loss", &firstLoss)
    try visitor.visit("start loss", &startLoss)
    try visitor.visit("good loss", &goodLoss)
    try visitor.visit("times back", &timesBack, in: 0...(.max))
    try visitor.visit("left out in a row", &leftOutInARow, in: 0...(.max))
  }

  /// The mean loss of late.
  var recentLoss: Double { weight > 0 ? average / weight : 0 }

  private func keep(_ model: any Model<Scalar>) {
    let parameters = model.parameters
    for i in parameters.indices { good[i].value.copy(from: parameters[i].value) }
  }

  /// Takes a mini-batch's finite loss, after its step.
  /// - Returns: whether the loss has exploded.
  func note(loss: Double, of model: any Model<Scalar>) -> Bool {
    leftOutInARow = 0
    count += 1
    let share = 1 / Double(horizon)
    average += share * (min(loss, firstLoss.map { 5 * explosive($0) } ?? loss) - average)
    weight += share * (1 - weight)
    let recent = recentLoss
    let start = startLoss ?? loss
    startLoss = start
    guard count >= horizon else { return recent > Self.beyond * (abs(start) + 1) }
    let first = firstLoss ?? recent
    if firstLoss == nil { (firstLoss, goodLoss) = (first, min(first, goodLoss)) }
    if recent > explosive(first) { return true }
    if count % max(50, horizon) == 0, recent <= max(1.5 * goodLoss, 0.5 * goodLoss), model.hasFiniteWeights {
      keep(model)
      goodLoss = recent
    }
    return false
  }

  private func explosive(_ first: Double) -> Double { max(3 * goodLoss, -goodLoss) + abs(first) }

  /// Notes a mini-batch that was left out.
  /// - Returns: whether that were too many in a row, or the weights themselves are to blame.
  func noteLeftOut(of model: any Model<Scalar>) -> Bool {
    leftOutInARow += 1
    return leftOutInARow >= Self.mostLeftOut || !model.hasFiniteWeights
  }

  /// Puts the last good weights back.
  func goBack(_ model: any Model<Scalar>) {
    let parameters = model.parameters
    for i in parameters.indices { parameters[i].value.copy(from: good[i].value) }
    (average, weight, count, leftOutInARow) = (0, 0, 0, 0)
    timesBack += 1
  }
}

extension Model {
  var hasFiniteWeights: Bool {
    for parameter in parameters where !parameter.value.isFinite { return false }
    return true
  }
}
