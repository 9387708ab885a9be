import Foundation

/// A folder with the four IDX files of MNIST and its relatives, gzip (`.gz`) or plain, of any image size and number of
/// classes. Files in folders of their own names, and names with a dot (`train-images.idx3-ubyte`), are taken too, as some
/// archives have them.
public enum ImageFolder {
  /// Where Debian's and Ubuntu's package dataset-fashion-mnist puts its files.
  public static let fashionMNIST = "/usr/share/datasets/fashion-mnist"

  /// Reads the folder. Pixels are scaled to [0, 1].
  ///
  /// - Parameter validationCount: how many of the last training images are for validation; by default a sixth, which
  ///   makes 50,000/10,000/10,000 of MNIST.
  public static func load(path: String, validationCount: Int? = nil) throws(DataError) -> DataSplit {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      let hint = path == fashionMNIST ? " (install the package dataset-fashion-mnist)" : ""
      throw DataError(path, expected: "a folder with IDX files", found: "no such folder\(hint)")
    }
    guard isDirectory.boolValue else {
      throw DataError(path, expected: "a folder with IDX files", found: "a file")
    }
    let (training, size) = try pair(in: path, prefix: "train")
    let (test, testSize) = try pair(in: path, prefix: "t10k")
    guard size == testSize else {
      throw DataError(
        path, expected: "test images of \(size.rows)×\(size.columns) like the training images",
        found: "\(testSize.rows)×\(testSize.columns)")
    }
    return try DataSplit(
      name: path, samples: training, validationCount: validationCount ?? max(1, training.count / 6), test: test)
  }

  private struct Size: Equatable {
    var rows: Int
    var columns: Int
  }

  private static func pair(in folder: String, prefix: String) throws(DataError) -> (Dataset, Size) {
    let (images, imagePath) = try read(folder, "\(prefix)-images-idx3-ubyte", dimensions: 3)
    let (labels, labelPath) = try read(folder, "\(prefix)-labels-idx1-ubyte", dimensions: 1)
    let (count, rows, columns) = (images.dimensions[0], images.dimensions[1], images.dimensions[2])
    guard count > 0, rows > 0, columns > 0 else {
      throw DataError(imagePath, expected: "at least one image", found: "\(count) images of \(rows)×\(columns)")
    }
    guard labels.dimensions[0] == count else {
      throw DataError(
        labelPath, expected: "\(count) labels, one for each image", found: "\(labels.dimensions[0])")
    }
    let dataset = Dataset(
      features: .bytes(images.elements, scale: 1.0 / 255), labels: labels.elements.map(Int32.init),
      width: rows * columns, classes: Int(labels.elements.max() ?? 0) + 1)
    return (dataset, Size(rows: rows, columns: columns))
  }
}
