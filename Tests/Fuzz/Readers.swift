import FisherKitTestSupport
import Foundation

@testable import FisherKit
@testable import FisherKitTool

/// What is done with the bytes of a file, for each reader. A reader may refuse them by an error of its own; what it may
/// not do is end the process, go on for ever, or take more memory than is allowed for (see scripts/fuzz).
let readers: [String: @Sendable ([UInt8]) throws -> Void] = [
  // The first byte says how many dimensions are asked for, and whether the others are to be packed first: by chance no
  // checksum would be right.
  "idx": { bytes in
    let (first, rest) = (bytes.first ?? 0, Array(bytes.dropFirst()))
    let path = try InMemoryFile.hold(first & 1 == 0 ? rest : IDXFile.gzip(rest))
    let idx = try IDX(path: path, dimensions: first & 2 == 0 ? 1 : 3)
    try require(idx.dimensions.reduce(1, *) == idx.elements.count)
  },
  "gzip": { bytes in
    let reader = try GzipReader(path: try InMemoryFile.hold(bytes))
    let start = try reader.read(1000)
    let count = try reader.countRest()
    try require(start.count + count <= max(1, bytes.count) * GzipReader.greatestRatio)
  },
  // An even first byte: the others are a file; an odd one: they are a header, and elements are made for its shape.
  "npy": { bytes in
    let (first, rest) = (bytes.first ?? 0, Array(bytes.dropFirst()))
    let header = String(decoding: rest, as: UTF8.self)
    let elements = Array(repeating: first, count: Int(first) << 2)
    let file = first & 1 == 0 ? rest : NPYFile.bytes(header: header, version: 1 + first >> 1 % 3, elements: elements)
    let array = try NPYArray(path: try InMemoryFile.hold(file))
    try require(array.count <= max(file.count, 1))
    if array.shape.count == 2 {
      _ = try Matrix<Float>(npy: array)
      _ = try Matrix<Double>(npy: array)
    }
  },
  // An even first byte: the others are a file; an odd one: they are a header, with elements behind it.
  "safetensors": { bytes in
    let (first, rest) = (bytes.first ?? 0, Array(bytes.dropFirst()))
    let elements = [UInt8](repeating: first, count: Int(first) << 1)
    let file = first & 1 == 0 ? rest : SafetensorsFile.bytes(header: rest, elements: elements)
    let path = try InMemoryFile.hold(file)
    let contents = try Safetensors.contents(path: path)
    let read = try Safetensors(path: path)
    try require(read.tensors.map(\.name) == contents.tensors.map(\.name) && read.metadata == contents.metadata)
    _ = try ModelFile(path: path)
  },
  // An even first byte: the others are a file; an odd one: they are a header's body, with a right checksum and elements
  // behind it that have none.
  "checkpoint": { bytes in
    let (first, rest) = (bytes.first ?? 0, Array(bytes.dropFirst()))
    let elements = [UInt8](repeating: first >> 1, count: Int(first) << 1)
    let path = try InMemoryFile.hold(first & 1 == 0 ? rest : CheckpointHeader.wrap(rest) + elements)
    let checkpoint = first & 1 == 0 ? try CheckpointFile(path: path) : try CheckpointFile(header: path)
    _ = try? checkpoint.trainingConfiguration()
    let object = try SavedThings()
    let before = try SavedState(of: object)
    do {
      try checkpoint.restore(object)
      try require(try SavedState(of: object).entries == checkpoint.entries.sorted { $0.name < $1.name })
    } catch let error as DataError {
      try require(try SavedState(of: object) == before)
      throw error
    }
  },
  // A text that says what network there is; the tensors are made for it.
  "model": { bytes in
    let json = String(decoding: bytes, as: UTF8.self)
    let architecture = try Architecture(json: json, place: "model")
    var tensors: [Safetensors.Tensor] = []
    func isSmall(_ layer: LayerRecord) -> Bool {
      [layer.inputExtent, layer.outputExtent].allSatisfy { $0.channels <= 64 && $0.positions <= 64 }
        && layer.parts.allSatisfy(isSmall)
    }
    guard architecture.layers.allSatisfy(isSmall) else { return }
    for (_, shapes) in architecture.tensors(LayerKinds<Float>()) {
      for shape in shapes ?? [] {
        guard tensors.count < 100 else { return }
        let ones = [Float](repeating: 1, count: shape.shape.reduce(1, *))
        tensors.append(.init(name: shape.name, shape: shape.shape, elements: .float32(ones)))
      }
    }
    let contents = Safetensors(tensors: tensors, metadata: [Architecture.key: json])
    let model = try Sequential<Float>(try ModelFile(contents, path: "model"), batchCapacity: 2)
    // what could be read can be written, and is the same then
    let again = try model.safetensors(notes: ModelNotes(), place: "model")
    try require(again.tensors == tensors)
    model.input.fill(with: 1)
    model.predict { _ in }
  },
  // A network's description, of numbers of two digits: what is larger may take the memory that it asks for.
  "description": { bytes in
    var digits = 0
    for byte in bytes {
      digits = (48...57).contains(byte) ? digits + 1 : 0
      if digits > 2 || byte == 0x65 && digits > 0 { return }
    }
    let description = try ModelDescription(json: Data(bytes), place: "net")
    let model = try description.make(Float.self, features: 64, outputs: 3, batchCapacity: 2)
    model.input.fill(with: 1)
    model.predict { _ in }
  },
  // All that a report makes of a log, or of two between which there is a byte 255.
  "report": { bytes in
    var files = RunFiles()
    for (number, part) in bytes.split(separator: 255, maxSplits: 1, omittingEmptySubsequences: false).enumerated() {
      let path = "log\(number)"
      try files.add(try LogLines(Data(part), path: path), path: path, name: path)
    }
    let study = Study(files)
    let csv = try CSVReport(study: study).text()
    let markdown = MarkdownReport(study: study).text
    let texts = [csv, markdown, try Page(study: study).html()] + FigureSVG.all(study).map(\.text)
    for scalar in texts.joined().unicodeScalars where scalar != "\n" && scalar != "\r" && scalar != "\t" {
      try require(!(scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)))
    }
  },
  // The log of an experiment that is to be gone on with.
  "log": { bytes in
    let path = "/dev/shm/fisher-fuzz-\(getpid())"
    defer { unlink(path) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let log = try ExperimentLog(path: path)
    for header in log.headers { try? log.requireFit(header.grid) }
  },
  "grid": { bytes in
    let grid = try ExperimentGrid(Data(bytes), path: "grid")
    let again = try ExperimentGrid(Data(try grid.json().utf8), path: "grid")
    try require(again == grid)
    let flags = grid.cell(grid.networks[0], grid.optimizers[0], learningRate: 1, seed: 0).arguments
    _ = try splitWords(flags)
  },
  "costs": { bytes in
    let costs = try MachineCosts(file: Data(bytes), path: "costs")
    let work = Work(products: 1e9, grams: 1e9, factors: 1e9, solves: 1e9, bytes: 1e9, calls: 1e3)
    try require(costs.seconds(work).isFinite)
  },
  "words": { bytes in
    let words = try splitWords(String(decoding: bytes, as: UTF8.self))
    // what is quoted comes back as it was
    let quoted = words.map { "'\($0.mappingScalars { $0 == "'" ? "'\\''" : nil })'" }.joined(separator: " ")
    try require(try splitWords(quoted) == words)
  },
  // What has to be found, so that nothing found elsewhere means something: a trap behind three bytes, and a claim that is
  // believed.
  "planted-trap": { bytes in
    if bytes.count > 2, bytes[0] == 0x46, bytes[1] == 0x4b, bytes[2] == 0x21 { _ = bytes[bytes.count] }
  },
  "planted-claim": { bytes in
    if bytes.count > 2, bytes[0] == 0x46, bytes[1] == 0x4b { _ = [UInt8](repeating: 1, count: Int(bytes[2]) << 20) }
  },
  // A run's flags as a grid has them. (It takes a tenth of a second.)
  "flags": { bytes in
    let cell = Cell(
      network: "n", optimizer: "o", learningRate: 1, seed: 0,
      arguments: String(decoding: bytes, as: UTF8.self) + " --learning-rate 1 --seed 0")
    let training = try cell.training()
    try require(training.schedule.log == nil && training.schedule.epochs > 0)
  },
]

/// What a checkpoint may hold, in the order of their names.
private final class SavedThings: State {
  private var blocks: BlockBatch<Float>
  private var indices: [Int] = []
  private var matrix: Matrix<Float>
  private var number = 1
  private var part: SavedThings?

  init() throws {
    blocks = try BlockBatch(count: 2, order: 2)
    matrix = try Matrix(rows: 3, columns: 2)
  }

  func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("blocks", &blocks)
    try visitor.visit("indices", &indices, isOfAnyCount: true, in: 0...9)
    try visitor.visit("matrix", &matrix)
    try visitor.visit("number", &number, in: 1...9)
    try visitor.optional("part", &part) { try SavedThings() }
  }
}

/// A reader that returned what it should not have ends the process: that is a finding.
private func require(_ isSo: Bool, line: Int = #line) throws {
  if !isSo { fatalError("Readers.swift:\(line): expected what a reader promises, found something else") }
}

/// A file of no disk that holds what was put into it last.
enum InMemoryFile {
  private static let descriptor = {
    var path = Array("/dev/shm/fisher-fuzz-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    unlink(path)
    return descriptor
  }()

  /// - Returns: its path.
  static func hold(_ bytes: [UInt8]) throws -> String {
    guard descriptor >= 0, ftruncate(descriptor, 0) == 0,
      bytes.isEmpty || pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { fatalError("expected room for a file of \(bytes.count) bytes, found none") }
    return "/proc/self/fd/\(descriptor)"
  }
}
