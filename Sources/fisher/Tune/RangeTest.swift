import FisherKit
import FisherKitToolSupport
import Foundation

/// The losses of a run whose learning rate grows geometrically from step to step (Smith 2017).
struct RangeCurve: Equatable {
  /// The rate of each step, and the loss of the mini-batch that came after it.
  var rates: [Double] = []
  var losses: [Double] = []
  /// Before any step that counts.
  var start: Double?
  /// Why it ended before its last step.
  var ended: String?

  /// Decades below the usual rate that it starts with, and above it that it ends with: that rate is safe, and beyond those
  /// only a trust region goes on.
  static let (below, above) = (4.0, 3.0)
  static let steps = 100

  static func rate(_ step: Int, usual: Double) -> Double {
    usual * pow(10, (below + above) * Double(step) / Double(steps - 1) - below)
  }

  /// Means over seven steps, the one in question in the middle.
  var smoothed: [Double] {
    losses.indices.map { index in
      let part = losses[max(0, index - 3)...min(losses.count - 1, index + 3)]
      return part.reduce(0, +) / Double(part.count)
    }
  }

  /// Whether the loss is out of hand: the last three of them far above where it started.
  var isExploding: Bool {
    guard let start, losses.count >= 3 else { return false }
    return losses.suffix(3).reduce(0, +) / 3 > start + 2 * max(abs(start), 1e-3)
  }

  /// The rates between which better ones are looked for: from where the loss begins to fall to beyond where it stops falling,
  /// and one and a half decades at least. `nil` where it never falls by more than its noise.
  var interval: ClosedRange<Double>? {
    let curve = smoothed
    let head = Array(losses.prefix(10))
    guard head.count == 10, let best = curve.min() else { return nil }
    let level = head.reduce(0, +) / 10
    let noise = (head.reduce(0) { $0 + ($1 - level) * ($1 - level) } / 9).squareRoot()
    let fall = level - best
    guard fall > max(noise, 0.01 * abs(level)) else { return nil }
    // (both are there: the least one is beyond both)
    guard let begins = curve.indices.first(where: { curve[$0] < level - max(0.1 * fall, 0.5 * noise) }),
      let stops = curve.indices.first(where: { curve[$0] <= best + 0.05 * fall })
    else { return nil }
    let high = Self.round(2 * rates[stops], up: true)
    return Self.round(min(rates[begins], high / 30), up: false)...high
  }

  /// To 1, 2 or 5 times a power of ten, so that the last digits of a loss decide nothing.
  private static func round(_ rate: Double, up: Bool) -> Double {
    let power = floor(log10(rate))
    let numbers = [1.0, 2, 5, 10].compactMap { Double("\($0)e\(Int(power))") }
    return (up ? numbers.first { $0 >= rate * (1 - 1e-9) } : numbers.last { $0 <= rate * (1 + 1e-9) }) ?? rate
  }
}

/// Runs a trainer for a few steps, and takes their time.
struct RangeTest {
  private struct Enough: Error {}

  let trainer: Trainer<Float>
  /// Whether rates grow; else they stay, and all that is found is the time.
  let grows: Bool

  struct Result {
    var curve: RangeCurve
    /// Seconds of a step, but for the first.
    var step: Double
  }

  /// - Parameter onStep: told what a step has taken so far, the first left out.
  func run(onStep: (_ step: Double) throws -> Void) throws -> Result {
    let usual = trainer.optimizer.learningRate
    let steps = grows ? RangeCurve.steps : TuneShares.fewestSteps
    var curve = RangeCurve()
    var (count, seconds, timed) = (0, 0.0, 0)
    let begin = ContinuousClock.now
    var mark = begin
    if grows { trainer.optimizer.learningRate = RangeCurve.rate(0, usual: usual) }
    do {
      try trainer.run(epochs: .max) { event in
        if let interruption = Interruption.noted { throw interruption }
        switch event {
        case .step(_, _, _, let loss):
          if count > 0 { (seconds, timed) = (seconds + (ContinuousClock.now - mark) / .seconds(1), timed + 1) }
          if timed > 0 { try onStep(seconds / Double(timed)) }
          if grows {
            // (a step reports the loss that it found)
            if count == 0 { curve.start = loss } else { curve.losses.append(loss) }
            if curve.losses.count == steps { throw Enough() }
            curve.rates.append(RangeCurve.rate(count, usual: usual))
            if curve.isExploding {
              curve.ended = "the loss exploded"
              throw Enough()
            }
            trainer.optimizer.learningRate = RangeCurve.rate(min(count + 1, steps - 1), usual: usual)
          }
          count += 1
          if !grows, count == steps { throw Enough() }
          mark = .now
        case .survived(let incident) where grows && [.wentBack, .batchLeftOut].contains(incident.remedy):
          curve.ended = incident.remedy.rawValue
          throw Enough()
        case .epoch, .began: mark = .now
        case .evaluated, .survived, .stoppedEarly, .finished: break
        }
      }
    } catch is Enough {
    } catch let error as FisherError where error.isOfTheRun {
      curve.ended = "\(error)"
    }
    // (the last rates have no loss behind them)
    curve.rates = Array(curve.rates.prefix(curve.losses.count))
    // (of a run that ends at its first step that is all there is)
    let all = (ContinuousClock.now - begin) / .seconds(1)
    return Result(curve: curve, step: timed > 0 ? seconds / Double(timed) : all)
  }
}
