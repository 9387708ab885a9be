/// What an experiment's log has of one run: one line of JSON.
///
/// A run that ended early, by a loss or weights that were no longer finite or a matrix that could not be factored, is a
/// result as well: it has the epochs before that, and `failure` says why.
struct RunRecord: Codable, Equatable {
  struct Epoch: Codable, Equatable {
    var epoch: Int
    var step: Int
    /// Of training, evaluation left out, since the run began.
    var seconds: Double
    /// Over the whole training set at the epoch's end, in nats and as a fraction.
    var trainLoss: Double
    /// (a training log has none where its loss has no right and wrong)
    var trainError: Double?
    var validationLoss: Double
    var validationAccuracy: Double?
    /// By layer, the share of the epoch's steps that the trust region made shorter; of natural-gradient runs.
    var bound: [String: Double]?

    enum CodingKeys: String, CodingKey {
      case epoch, step, seconds, bound
      case trainLoss = "train_loss"
      case trainError = "train_error"
      case validationLoss = "validation_loss"
      case validationAccuracy = "validation_accuracy"
    }
  }

  /// How well the relative Fisher matrices foresaw an epoch's last step δ, on its mini-batch, in nats per sample.
  struct Divergence: Codable, Equatable {
    var epoch: Int
    var layers: [Layer]

    struct Layer: Codable, Equatable {
      var name: String
      /// ½ δᵀ G δ.
      var predicted: Double
      /// The Kullback-Leibler divergence of the layer's outputs before the step from those after it, inputs held.
      var measured: Double
    }
  }

  /// Σ σ/(σ + λ) over a matrix's eigenvalues σ, the mean over the layer's matrices at the end of the run.
  struct EffectiveDimension: Codable, Equatable {
    var name: String
    var order: Int
    var dimension: Double
  }

  var kind = "run"
  /// The grid's names of the network and of the optimizer.
  var network: String
  var optimizer: String
  var learningRate: Double
  var seed: UInt64
  /// The flags of `fisher train` that make this run: its identity.
  var arguments: String
  var version: String
  /// Threads of the run, and the CPU's instructions that were in force.
  var threads: Int
  var level: String
  var epochs: [Epoch]
  /// On the test set at the end; none where the run failed.
  var testLoss: Double?
  var testAccuracy: Double?
  /// What the model and the optimizer held.
  var memoryBytes: Int
  /// Factorisations that failed and were survived by the metric's own fallback.
  var dampingEvents: Int
  /// Of natural-gradient runs; else empty.
  var divergences: [Divergence]
  var effectiveDimensions: [EffectiveDimension]
  var failure: String?

  /// Its flags but for learning rate and seed: the same for all runs of its network by its optimizer.
  var recipe: String {
    let own = "--learning-rate \(learningRate) --seed \(seed)"
    guard arguments.hasSuffix(own) else { return arguments }
    return String(arguments.dropLast(own.count + (arguments.count > own.count ? 1 : 0)))
  }

  enum CodingKeys: String, CodingKey {
    case kind, network, optimizer, seed, arguments, version, threads, level, epochs, divergences, failure
    case learningRate = "learning_rate"
    case testLoss = "test_loss"
    case testAccuracy = "test_accuracy"
    case memoryBytes = "memory_bytes"
    case dampingEvents = "damping_events"
    case effectiveDimensions = "effective_dimensions"
  }
}
