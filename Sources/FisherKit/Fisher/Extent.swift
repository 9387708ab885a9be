/// What flows between layers: for each sample, `positions` rows of `channels` numbers. Features have one position, an image
/// height × width of them, a text its length.
public struct Extent: Equatable, Sendable, CustomStringConvertible {
  public var positions: Int
  /// Without a bias column.
  public var channels: Int

  public init(channels: Int, positions: Int = 1) {
    self.channels = channels
    self.positions = positions
  }

  public var description: String { positions == 1 ? "\(channels)" : "\(positions) × \(channels)" }

  /// Numbers a sample.
  package var elements: Int {
    let (count, overflow) = positions.multipliedReportingOverflow(by: channels)
    return overflow ? .max : count
  }

  func validate(_ what: @autoclosure () -> String) throws(FisherError) {
    guard channels > 0, positions > 0, !positions.multipliedReportingOverflow(by: channels).overflow else {
      throw .invalidArgument(what: what(), expected: "at least one channel and one position", found: "\(self)")
    }
  }
}

extension Extent {
  /// The rows that so many samples have.
  func rows(samples: Int, _ what: @autoclosure () -> String) throws(FisherError) -> Int {
    let (rows, overflow) = positions.multipliedReportingOverflow(by: samples)
    guard !overflow else { throw .sizeOverflow(what: what()) }
    return rows
  }
}
