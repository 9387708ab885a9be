import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Rfim: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the relative Fisher matrix of a subsystem.",
    discussion: """
      G is (m,d,d) for neuron and layer, one block for each of the m neurons, and (md,md) for softmax, two-layers and \
      --kronecker, with d = inputs + 1. float64 in gives float64 out.

      convolution takes X (n, height, width, channels), or (n, length, channels) of a series, and W (outputs, d) with \
      d = window · channels / groups + 1: the window row by row, in each of its positions the channels of the output's group, \
      the bias last. G is (outputs, d, d): the sum over positions, the mean over the n samples.

      layer-norm, rms-norm, group-norm and batch-norm take X (n, channels), (n, length, channels) or (n, height, width, \
      channels) before it is normalised: over the channels of each position, over those of a group and all positions of a \
      sample, or of each channel over all samples and positions. G is (channels, 2, 2), the blocks of (γ, β), the sum over \
      positions of (x̂, 1)(x̂, 1)ᵀ; of rms-norm (channels, 1, 1), that of x̂².

      Examples: fisher rfim --subsystem layer --activation tanh --inputs X.npy --weights W.npy --out G.npy
                fisher rfim --subsystem convolution --kernel 3 --padding 1 --activation relu --inputs X.npy --weights W.npy --out G.npy
      """)

  @OptionGroup(title: "Subsystem") var system: SubsystemOptions
  @Option(help: ArgumentHelp("Where to write G.", valueName: "g.npy")) var out: String

  func run() throws {
    ToolThreads.start(Compute.threads)
    try OutputFile(path: out, inputs: system.files).write(array: {
      if system.subsystem.isLayer {
        let layer = try LayerSubsystem(system)
        return layer.isDouble ? try matrix(of: layer.rfims(Double.self)) : try matrix(of: layer.rfims(Float.self))
      }
      let arrays = try system.load()
      return try arrays.isDouble ? matrix(arrays, Double.self) : matrix(arrays, Float.self)
    })
  }

  private func matrix<S: KernelScalar>(_ arrays: SubsystemArrays, _: S.Type) throws -> NPYArray {
    let fisher = try system.rfim(arrays, S.self)
    if fisher.isBlockDiagonal { return try matrix(of: [fisher]) }
    return NPYArray(try fisher.dense(memoryCap: system.memoryCap), place: out)
  }

  /// The blocks of all parts, one behind the other.
  private func matrix<S: KernelScalar>(of parts: [any RFIM<S>]) throws -> NPYArray {
    let (m, d) = (parts.reduce(0) { $0 + $1.neurons }, parts.first?.order ?? 0)
    let (elements, overflow) = (m * d).multipliedReportingOverflow(by: d)
    let bytes = overflow ? Int.max : elements.multipliedReportingOverflow(by: MemoryLayout<S>.stride).partialValue
    guard bytes <= system.memoryCap else {
      throw FisherError.exceedsMemoryCap(
        what: "blocks of \(m) neurons and \(d) inputs", bytes: bytes, cap: system.memoryCap,
        instead: "fewer neurons at a time fit")
    }
    var numbers: [S] = []
    numbers.reserveCapacity(elements)
    for part in parts {
      for i in 0..<part.neurons {
        let block = try part.block(i, i)
        for a in 0..<d { for b in 0..<d { numbers.append(block[a, b]) } }
      }
    }
    return NPYArray(shape: [m, d, d], numbers: numbers, place: out)
  }
}
