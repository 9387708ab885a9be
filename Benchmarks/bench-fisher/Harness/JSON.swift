import Foundation

/// The rows as a program reads them: an array of objects. A size that a kernel has not is null, and so are the figures
/// of a row that failed.
struct JSONRow: Encodable {
  private let measurement: Measurement

  private enum Key: String, CodingKey {
    case kernel, d, m, n, outputs, precision, level, threads
    case medianSeconds = "median_seconds"
    case gflops
    case gigabytesPerSecond = "gbytes_per_second"
    case peakGflops = "peak_gflops"
    case fractionOfPeak = "fraction_of_peak"
    case maxRelativeError = "max_relative_error"
    case failure
  }

  func encode(to encoder: any Encoder) throws {
    var row = encoder.container(keyedBy: Key.self)
    try row.encode(measurement.kernel, forKey: .kernel)
    try row.encode(measurement.shape.d, forKey: .d)
    try row.encode(measurement.shape.m, forKey: .m)
    try row.encode(measurement.shape.n, forKey: .n)
    try row.encode(measurement.shape.outputs, forKey: .outputs)
    try row.encode(measurement.precision.rawValue, forKey: .precision)
    try row.encode(measurement.level, forKey: .level)
    try row.encode(measurement.threads, forKey: .threads)
    try row.encode(measurement.timing?.median, forKey: .medianSeconds)
    try row.encode(measurement.gflops, forKey: .gflops)
    try row.encode(measurement.gigabytesPerSecond, forKey: .gigabytesPerSecond)
    try row.encode(measurement.peak.gflops, forKey: .peakGflops)
    try row.encode(measurement.fractionOfPeak, forKey: .fractionOfPeak)
    try row.encode(measurement.error, forKey: .maxRelativeError)
    if case .failed(let reason) = measurement.outcome { try row.encode(reason, forKey: .failure) }
  }

  static func text(_ measurements: [Measurement]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(measurements.map(JSONRow.init)), as: UTF8.self) + "\n"
  }

  private init(_ measurement: Measurement) { self.measurement = measurement }
}
