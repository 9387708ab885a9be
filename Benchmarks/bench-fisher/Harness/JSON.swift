import FisherKit
import Foundation

/// The rows as a program reads them: an array of objects. A size that a kernel has not is null, and so are the figures
/// of a row that failed, and those of a peer where there is none.
struct JSONRow: Encodable {
  private let measurement: Measurement

  private enum Key: String, CodingKey {
    case kernel, d, m, n, outputs, precision, level, threads, repetitions, spread, bound
    case medianSeconds = "median_seconds"
    case gflops
    case gigabytesPerSecond = "gbytes_per_second"
    case peakGflops = "peak_gflops"
    case peakMultiplyAdd = "peak_multiply_add_gflops"
    case peakProduct = "peak_blas_gflops"
    case blas
    case blasCore = "blas_core"
    case products
    case fractionOfPeak = "fraction_of_peak"
    case bandwidth = "bandwidth_gbytes_per_second"
    case fractionOfAttainable = "fraction_of_attainable"
    case peerSeconds = "peer_seconds"
    case peerRatio = "peer_ratio"
    case peerFormulation = "peer_formulation"
    case peerFormulations = "peer_formulations"
    case maxRelativeError = "max_relative_error"
    case failure
  }

  func encode(to encoder: any Encoder) throws {
    var row = encoder.container(keyedBy: Key.self)
    try row.encode(measurement.kernel, forKey: .kernel)
    try row.encode(measurement.shape.d, forKey: .d)
    try row.encode(measurement.shape.m, forKey: .m)
    try row.encode(measurement.shape.n, forKey: .n)
    try row.encodeIfPresent(measurement.shape.outputs, forKey: .outputs)
    try row.encode(measurement.precision.rawValue, forKey: .precision)
    try row.encode(measurement.level, forKey: .level)
    try row.encode(measurement.threads, forKey: .threads)
    try row.encode(measurement.timing?.median, forKey: .medianSeconds)
    try row.encode(measurement.gflops, forKey: .gflops)
    try row.encode(measurement.gigabytesPerSecond, forKey: .gigabytesPerSecond)
    try row.encode(measurement.timing?.spread, forKey: .spread)
    try row.encode(measurement.timing?.repetitions, forKey: .repetitions)
    try row.encode(measurement.roofline.peak, forKey: .peakGflops)
    try row.encode(measurement.roofline.limits.arithmetic, forKey: .peakMultiplyAdd)
    try row.encode(measurement.roofline.limits.product, forKey: .peakProduct)
    try row.encode(BLASLibrary.current.name, forKey: .blas)
    try row.encode(BLASLibrary.current.core, forKey: .blasCore)
    try row.encode(Compute.products, forKey: .products)
    try row.encode(measurement.fractionOfPeak, forKey: .fractionOfPeak)
    try row.encode(measurement.roofline.bandwidth, forKey: .bandwidth)
    try row.encode(measurement.bound.rawValue, forKey: .bound)
    try row.encode(measurement.fractionOfAttainable, forKey: .fractionOfAttainable)
    try row.encode(measurement.peer?.seconds, forKey: .peerSeconds)
    try row.encode(measurement.peerRatio, forKey: .peerRatio)
    try row.encode(measurement.peer?.formulation, forKey: .peerFormulation)
    try row.encode(measurement.peer?.formulations, forKey: .peerFormulations)
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
