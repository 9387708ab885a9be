import FisherKit
import Foundation

extension MachineCosts {
  /// The speeds that a file says.
  init(file data: Data, path: String) throws(DataError) {
    do {
      self = try JSONDecoder().decode(MachineCosts.self, from: data)
    } catch let error as DecodingError {
      throw DataError(
        path, expected: "JSON with products, grams, factors, solves, bandwidth and call", found: error.summary(of: data)
      )
    } catch {
      throw DataError(path, expected: "JSON with the machine's speeds", found: "\(error)")
    }
    try requirePossible(in: path)
  }

  /// - Throws: the first that no machine has, and that no plan can be made by.
  func requirePossible(in place: String) throws(DataError) {
    let rates = [
      ("products", products), ("grams", grams), ("factors", factors), ("solves", solves), ("bandwidth", bandwidth),
    ]
    for (name, rate) in rates where !(1e6...1e16).contains(rate) {
      throw DataError(
        place, expected: "\(name) of 1e6 to 1e16 \(name == "bandwidth" ? "bytes" : "flops") a second", found: "\(rate)")
    }
    guard (1e-10...1).contains(call) else {
      throw DataError(place, expected: "a call of 1e-10 to 1 seconds", found: "\(call)")
    }
  }
}
