import Foundation

/// A folder with the four files of an image set, in the temporary directory; `remove()` when done. Classes are easy to
/// tell: image i has its class in the brightness of one row.
public struct ImageSet {
  public let path: String
  public let rows: Int
  public let columns: Int
  public let classes: Int

  public enum File: String, CaseIterable, Sendable {
    case trainImages = "train-images-idx3-ubyte"
    case trainLabels = "train-labels-idx1-ubyte"
    case testImages = "t10k-images-idx3-ubyte"
    case testLabels = "t10k-labels-idx1-ubyte"
  }

  public init(
    rows: Int = 4, columns: Int = 3, classes: Int = 4, training: Int = 240, test: Int = 60, gzip: Bool = false
  ) throws {
    self.rows = rows
    self.columns = columns
    self.classes = classes
    path = NSTemporaryDirectory() + "fisher-images-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    var generator = SplitMix64(seed: 12)
    for (images, labels, count) in [
      (File.trainImages, File.trainLabels, training), (File.testImages, File.testLabels, test),
    ] {
      var pixels: [UInt8] = []
      var classesOfImages: [UInt8] = []
      for i in 0..<count {
        let label = i % classes
        classesOfImages.append(UInt8(label))
        for row in 0..<rows {
          for _ in 0..<columns { pixels.append(UInt8(generator.next() % 64) + (row == label % rows ? 150 : 0)) }
        }
      }
      try write(images, IDXFile.bytes(dimensions: [count, rows, columns], elements: pixels), gzip: gzip)
      try write(labels, IDXFile.bytes(dimensions: [count], elements: classesOfImages), gzip: gzip)
    }
  }

  public func path(of file: File, gzip: Bool = false) -> String { "\(path)/\(file.rawValue)\(gzip ? ".gz" : "")" }

  public func write(_ file: File, _ bytes: [UInt8], gzip: Bool = false) throws {
    try Data(gzip ? IDXFile.gzip(bytes) : bytes).write(to: URL(fileURLWithPath: path(of: file, gzip: gzip)))
  }

  public func read(_ file: File, gzip: Bool = false) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(of: file, gzip: gzip))))
  }

  public func remove() { try? FileManager.default.removeItem(atPath: path) }
}
