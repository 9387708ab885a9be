import ArgumentParser
import FisherKit

/// A subsystem and the arrays that make its Fisher matrix.
struct SubsystemOptions: ParsableArguments {
  @Option(help: ArgumentHelp("What the matrix is of.", valueName: "kind")) var subsystem: SubsystemName
  @OptionGroup var activation: ActivationOptions
  @Option(
    help: ArgumentHelp(
      "X (n, inputs), without the bias column; of convolution and normalisations with positions before the channels.",
      valueName: "x.npy"))
  var inputs: String
  @Option(
    help: ArgumentHelp("W (m, inputs + 1), the bias last; normalisations need none.", valueName: "w.npy")) var weights:
    String?
  @Option(help: ArgumentHelp("C (outputs, m + 1) of two-layers, the bias last.", valueName: "c.npy"))
  var outerWeights: String?
  @Option(help: ArgumentHelp("Of the outputs of two-layers: an activation, or softmax.", valueName: "name"))
  var outerActivation: OuterName?
  @Flag(
    help: "As one Kronecker product, A ⊗ S with the mean A of the outputs' covariances and S = E[x̃x̃ᵀ].") var kronecker =
    false
  @OptionGroup var window: WindowOptions
  @Option(parsing: .unconditional, help: ArgumentHelp("Memory that a matrix may take.", valueName: "bytes"))
  var memoryCap = defaultMemoryCap

  func validate() throws {
    guard memoryCap > 0 else { throw ValidationError("--memory-cap: expected 1 byte or more, found \(memoryCap)") }
    if subsystem == .softmax || subsystem.isNormalisation {
      if let name = activation.activation {
        throw ValidationError("--activation: expected none with --subsystem \(subsystem.rawValue), found \(name)")
      }
    } else if activation.activation == nil {
      throw ValidationError("--activation: expected one with --subsystem \(subsystem.rawValue), found none")
    }
    guard (weights != nil) != subsystem.isNormalisation else {
      throw ValidationError(
        "--weights: expected \(weights == nil ? "them" : "none") with --subsystem \(subsystem.rawValue), found "
          + (weights ?? "none"))
    }
    if let flag = window.surplus(for: subsystem) {
      throw ValidationError("--\(flag): expected a subsystem that has it, found \(subsystem.rawValue)")
    }
    if subsystem == .convolution, window.kernel == nil {
      throw ValidationError("--kernel: expected it with --subsystem convolution, found none")
    }
    if kronecker, subsystem.isLayer || subsystem == .neuron {
      throw ValidationError("--kronecker: expected layer, softmax or two-layers, found \(subsystem.rawValue)")
    }
    for (flag, isGiven) in [("outer-weights", outerWeights != nil), ("outer-activation", outerActivation != nil)] {
      guard isGiven == (subsystem == .twoLayers) else {
        throw ValidationError(
          "--\(flag): expected \(isGiven ? "--subsystem two-layers" : "it with --subsystem two-layers"), found "
            + (isGiven ? subsystem.rawValue : "none"))
      }
    }
  }

  /// The arrays' options and files.
  var files: [(option: String, path: String?)] {
    [("--inputs", inputs), ("--weights", weights), ("--outer-weights", outerWeights)]
  }

  /// The arrays, read and fitted to each other.
  func load() throws -> SubsystemArrays {
    let x = try NPYArray(path: inputs, rank: 2)
    guard let weights else { throw ValidationError("--weights: expected them, found none") }
    let w = try NPYArray(path: weights, rank: 2)
    guard x.shape[0] > 0 else { throw DataError(inputs, expected: "at least one sample", found: "none") }
    // (a file without elements can claim any number of rows, each of which would get its bias)
    guard x.shape[1] > 0 else { throw DataError(inputs, expected: "at least one input", found: "none") }
    guard w.shape[0] > 0 else { throw DataError(weights, expected: "at least one neuron", found: "none") }
    guard w.shape[1] == x.shape[1] + 1 else {
      throw DataError(
        weights, expected: "\(x.shape[1] + 1) columns, one more than \(inputs) has", found: "\(w.shape[1])")
    }
    var c: NPYArray?
    if let outerWeights {
      let array = try NPYArray(path: outerWeights, rank: 2)
      guard array.shape[0] > 0, array.shape[1] == w.shape[0] + 1 else {
        throw DataError(
          outerWeights, expected: "at least one row, and \(w.shape[0] + 1) columns, one more than \(weights) has rows",
          found: "\(array.shape[0]) rows and \(array.shape[1]) columns")
      }
      c = array
    }
    return SubsystemArrays(x: x, w: w, c: c)
  }

  /// The matrix, in the given precision.
  func rfim<S: KernelScalar>(_ arrays: SubsystemArrays, shared: Bool = false, _: S.Type) throws -> any RFIM<S> {
    let (x, w) = (try arrays.inputs(S.self), try arrays.weights(S.self))
    let preactivations = try w.preactivations(of: x)
    let metric = try activation.metric
    if kronecker {
      return try kroneckerRFIM(x, preactivations, try arrays.c.map { _ in try arrays.outerWeights(S.self) })
    }
    if shared { return try LinearLayer().rfim(inputs: x.matrix, preactivations: preactivations.matrix) }
    switch subsystem {
    case .neuron, .layer:
      return try NonlinearLayer(metric).rfim(inputs: x.matrix, preactivations: preactivations.matrix)
    case .softmax: return try SoftmaxLayer().rfim(inputs: x.matrix, preactivations: preactivations.matrix)
    case .twoLayers:
      return try twoLayers.rfim(
        inputs: x.matrix, preactivations: preactivations.matrix, outerWeights: try arrays.outerWeights(S.self).matrix)
    case .convolution, .layerNorm, .rmsNorm, .groupNorm, .batchNorm:
      fatalError("\(subsystem) is made of its layer")
    }
  }

  private var twoLayers: TwoLayers {
    get throws {
      let outer: any Subsystem =
        switch outerActivation! {
        case .softmax: SoftmaxLayer()
        case .neurons(let name): NonlinearLayer(try name.make())
        }
      return TwoLayers(hidden: try activation.metric, outer: outer)
    }
  }

  private func kroneckerRFIM<S: KernelScalar>(_ x: Box<S>, _ z: Box<S>, _ c: Box<S>?) throws -> any RFIM<S> {
    if let c {
      return try twoLayers.kroneckerRFIM(inputs: x.matrix, preactivations: z.matrix, outerWeights: c.matrix)
    }
    let kind: any Subsystem = subsystem == .softmax ? SoftmaxLayer() : NonlinearLayer(try activation.metric)
    return try Observation.with(inputs: x.matrix, preactivations: z.matrix) { (observed) throws(FisherError) in
      try kind.kroneckerRFIM(observed)
    }
  }
}

enum SubsystemName: String, CaseIterable, ExpressibleByArgument {
  case neuron, layer, softmax
  case twoLayers = "two-layers"
  case convolution
  case layerNorm = "layer-norm"
  case rmsNorm = "rms-norm"
  case groupNorm = "group-norm"
  case batchNorm = "batch-norm"

  var isNormalisation: Bool {
    switch self {
    case .layerNorm, .rmsNorm, .groupNorm, .batchNorm: true
    case .neuron, .layer, .softmax, .twoLayers, .convolution: false
    }
  }

  /// Whether its arrays are those of a layer with positions.
  var isLayer: Bool { isNormalisation || self == .convolution }
}

/// What the outputs of two layers are.
enum OuterName: ExpressibleByArgument {
  case softmax
  case neurons(ActivationName)

  init?(argument: String) {
    if argument == "softmax" {
      self = .softmax
    } else if let name = ActivationName(argument: argument) {
      self = .neurons(name)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] { ActivationName.allValueStrings + ["softmax"] }
}
