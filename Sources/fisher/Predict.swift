import ArgumentParser
import FisherKit
import FisherKitToolSupport

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what a model that was kept makes of data.",
    discussion: """
      P.npy is float32 (n, classes), the probabilities of each sample's classes; with --classes it is int64 (n), the class \
      of the largest. Of a model that was trained with --loss bernoulli it is (n, labels), the probability of each label, and \
      with --loss squared (n, numbers), the numbers. A name that ends in .csv gives text: a line of names, then a line for each sample. Samples are in the \
      order of their files.

      Example: fisher predict model.safetensors --data fashion-mnist --out P.npy
      """)

  @OptionGroup var input: ModelInput
  @Option(help: ArgumentHelp("Where to write P.", valueName: "p.npy|p.csv")) var out: String
  @Flag(help: "Write the class with the largest probability, not all of them.") var classes = false

  func run() throws {
    ToolThreads.start(Compute.threads)
    try OutputFile(path: out, inputs: [("the model", input.model)]).write { file in
      let (model, samples) = try input.load()
      if model.isDouble {
        let network = try Sequential<Double>(model, batchCapacity: model.samplesAtATime)
        try write(network, model.distribution, samples, to: file)
      } else {
        let network = try Sequential<Float>(model, batchCapacity: model.samplesAtATime)
        try write(network, model.distribution, samples, to: file)
      }
    }
  }

  private func write<S: KernelScalar>(
    _ model: Sequential<S>, _ distribution: OutputDistribution, _ samples: ModelInput.Samples, to file: WholeFile
  ) throws {
    let isText = out.lowercased().hasSuffix(".csv")
    if classes, distribution != .categorical {
      throw DataError(
        input.model, expected: "a model of classes, for --classes", found: "one of \(distribution.noun.many)")
    }
    if classes {
      let found = try model.classes(samples.dataset, samples.range, name: samples.name)
      if isText { return try file.write((["class"] + found.map(String.init)).map { $0 + "\r\n" }.joined()) }
      return try NPYArray.write(found.map(Int64.init), to: file)
    }
    let found = try model.means(of: distribution, samples.dataset, samples.range, name: samples.name).map { Float($0) }
    let width = model.outputs
    guard isText else {
      let array = NPYArray(shape: [samples.range.count, width], elements: .float32(found), place: out)
      return try array.write(to: file, place: out)
    }
    try file.write((0..<width).map { "\(distribution.noun.one) \($0)" }.joined(separator: ",") + "\r\n")
    // (a part at a time: as text they take several times the room)
    for first in stride(from: 0, to: samples.range.count, by: model.samplesAtATime) {
      let rows = first..<min(first + model.samplesAtATime, samples.range.count)
      let lines = rows.map { row in
        found[(row * width)..<((row + 1) * width)].map(\.description).joined(separator: ",") + "\r\n"
      }
      try file.write(lines.joined())
    }
  }
}
