/// What a ``Trainer`` reports as it goes.
public enum TrainingEvent: Sendable {
  /// Everything is allocated; training starts.
  case began(TrainingPlan)
  /// A step was taken, the `step`-th of `stepsPerEpoch` in this epoch; `loss` is that of its mini-batch before it.
  case step(epoch: Int, step: Int, stepsPerEpoch: Int, loss: Double)
  /// The loss over the whole training set after so many steps in all and seconds of training, where
  /// ``Trainer/stepsBetweenEvaluations`` asks for it.
  case evaluated(step: Int, seconds: Double, training: Score)
  /// Something went wrong and was survived.
  case survived(Incident)
  /// An epoch ended.
  case epoch(EpochReport)
  /// Training ended before its epochs did (``EarlyStopping``), with the weights of this epoch.
  case stoppedEarly(epoch: Int, best: Int)
  /// All epochs ended.
  case finished(test: Score)
}

/// What a run is going to take.
public struct TrainingPlan: Equatable, Sendable {
  public var trainingSamples: Int
  public var validationSamples: Int
  public var testSamples: Int
  public var stepsPerEpoch: Int
  /// Memory of the model with its mini-batch, and of the optimizer with its curvature and the most that refreshes make
  /// beside it, in bytes.
  public var modelBytes: Int
  public var optimizerBytes: Int
  /// The images and labels.
  public var dataBytes: Int
  /// Features that are far above unit scale, for which the first layer's weights were started smaller: see ``Trainer``.
  public var rescaledFeatures: Int = 0
  /// How each layer's Fisher matrix is held; empty for first-order optimizers.
  public var layers: [LayerPlan]

  /// What comes into memory with the first steps: pages of the libraries' code, the stacks of their threads, and the
  /// panels that OpenBLAS packs in each of them. Measured with OpenBLAS 0.3.21, LLVM's OpenMP and two threads: 2.2 to 4.5
  /// MB by the size of products.
  public static var runtimeBytes: Int { 3_000_000 + 500_000 * Compute.threads }

  /// All of these, with the order of the samples.
  public var bytes: Int {
    dataBytes + trainingSamples * MemoryLayout<Int32>.stride + modelBytes + optimizerBytes + Self.runtimeBytes
  }
}

/// The state after an epoch.
public struct EpochReport: Equatable, Sendable {
  /// From 1.
  public var epoch: Int
  /// Steps taken in all epochs so far.
  public var step: Int
  /// Seconds of training in all epochs so far, evaluation left out.
  public var seconds: Double
  /// Over the whole training set, at the epoch's end.
  public var training: Score
  public var validation: Score
  /// The share of the epoch's steps that the trust region made shorter, layer by layer; empty for first-order optimizers.
  public var bounds: [Bound] = []
  /// What the validation set was measured by beside the loss, by name.
  public var measures: [String: Double] = [:]

  /// How often the trust region bound a layer.
  public struct Bound: Equatable, Sendable {
    public var name: String
    public var share: Double

    public init(name: String, share: Double) {
      self.name = name
      self.share = share
    }
  }
}
