/// One schedule behind the other. Each begins anew where the one before it ends, and the last one has what is left.
public struct SchedulePieces: Schedule {
  public struct Piece: Sendable {
    public var schedule: any Schedule
    /// `nil` for what is left.
    public var length: Duration?

    public init(_ schedule: any Schedule, over length: Duration? = nil) {
      (self.schedule, self.length) = (schedule, length)
    }
  }

  public var pieces: [Piece]

  public init(_ pieces: [Piece]) { self.pieces = pieces }

  public var description: String {
    pieces.map { piece in
      guard let length = piece.length else { return "\(piece.schedule)" }
      return "\(piece.schedule):over=\(length)"
    }.joined(separator: "+")
  }

  public func factor(at progress: ScheduleProgress) -> Double? {
    var first = 0
    for i in pieces.indices {
      let left = progress.length.map { max(0, $0 - first) }
      let isLast = i == pieces.count - 1
      let length: Int?
      if let given = pieces[i].length {
        guard let steps = given.steps(in: progress.run) else { return nil }
        length = steps
      } else {
        length = left
      }
      let here = ScheduleProgress(step: progress.step - first, length: length, run: progress.run)
      guard let ends = length, !isLast, here.step >= ends else { return pieces[i].schedule.factor(at: here) }
      first += ends
    }
    return 1
  }

  public func validate() throws(FisherError) {
    guard !pieces.isEmpty else {
      throw .invalidArgument(what: "schedule", expected: "at least one piece", found: "none")
    }
    for (index, piece) in pieces.enumerated() {
      try piece.schedule.validate()
      try piece.length?.validate("schedule")
      guard piece.length != nil || index == pieces.count - 1 else {
        throw .invalidArgument(
          what: "schedule", expected: "a length for \(piece.schedule), such as \(piece.schedule):over=5%", found: "none"
        )
      }
    }
  }
}

extension Schedule {
  /// It over a part of training, to go before another: `WarmUp().over(.steps(100)).then(Cosine())`.
  public func over(_ length: Duration) -> SchedulePieces {
    SchedulePieces([SchedulePieces.Piece(self, over: length)])
  }
}

extension SchedulePieces {
  public func then(_ next: any Schedule) -> SchedulePieces {
    SchedulePieces(pieces + ((next as? SchedulePieces)?.pieces ?? [Piece(next)]))
  }
}
