import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Rfim: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the relative Fisher matrix of a subsystem.",
    discussion: """
      G is (m,d,d) for neuron and layer, one block for each of the m neurons, and (md,md) for softmax and two-layers, \
      with d = inputs + 1. float64 in gives float64 out.

      Example: fisher rfim --subsystem layer --activation tanh --inputs X.npy --weights W.npy --out G.npy
      """)

  @OptionGroup(title: "Subsystem") var system: SubsystemOptions
  @Option(help: ArgumentHelp("Where to write G.", valueName: "g.npy")) var out: String

  func run() throws {
    ToolThreads.start(Compute.threads)
    try OutputFile(path: out, inputs: system.files).write(array: {
      let arrays = try system.load()
      return try arrays.isDouble ? matrix(arrays, Double.self) : matrix(arrays, Float.self)
    })
  }

  private func matrix<S: KernelScalar>(_ arrays: SubsystemArrays, _: S.Type) throws -> NPYArray {
    let fisher = try system.rfim(arrays, S.self)
    let (m, d) = (fisher.neurons, fisher.order)
    guard fisher.isBlockDiagonal else {
      let dense = try fisher.dense(memoryCap: system.memoryCap)
      return NPYArray(dense, place: out)
    }
    let (elements, overflow) = (m * d).multipliedReportingOverflow(by: d)
    let bytes = overflow ? Int.max : elements.multipliedReportingOverflow(by: MemoryLayout<S>.stride).partialValue
    guard bytes <= system.memoryCap else {
      throw FisherError.exceedsMemoryCap(
        what: "blocks of \(m) neurons and \(d) inputs", bytes: bytes, cap: system.memoryCap,
        instead: "fewer neurons at a time fit")
    }
    var numbers: [S] = []
    numbers.reserveCapacity(elements)
    for i in 0..<m {
      let block = try fisher.block(i, i)
      for a in 0..<d { for b in 0..<d { numbers.append(block[a, b]) } }
    }
    return NPYArray(shape: [m, d, d], numbers: numbers, place: out)
  }
}
