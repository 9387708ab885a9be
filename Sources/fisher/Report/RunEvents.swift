/// What happened in a run beside its epochs: lines of a log that have the key "event", counted by what that says.
struct RunEvents: Equatable {
  struct Kind: Equatable {
    var name: String
    var count = 0
    /// Of those that say their step.
    var first: Int?
    var last: Int?
  }

  /// No incident: nothing went wrong.
  static let stoppedEarly = "stopped early"

  /// What the log is called.
  var run: String
  /// As they first come.
  private(set) var kinds: [Kind] = []
  private var places: [String: Int] = [:]

  init(run: String) { self.run = run }

  mutating func add(_ event: Line) {
    let place = places[event.event] ?? kinds.count
    if place == kinds.count {
      kinds.append(Kind(name: event.event))
      places[event.event] = place
    }
    kinds[place].count += 1
    if let step = event.step {
      kinds[place].first = min(kinds[place].first ?? step, step)
      kinds[place].last = max(kinds[place].last ?? step, step)
    }
  }

  /// Whatever else it says is the log's own.
  struct Line: Decodable {
    var event: String
    var step: Int?

    enum CodingKeys: String, CodingKey {
      case event, step
    }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: CodingKeys.self)
      event = try members.decode(String.self, forKey: .event)
      step = try? members.decodeIfPresent(Int.self, forKey: .step)
    }
  }
}

extension Study {
  var eventTable: Table? {
    let rows = events.flatMap { events in
      events.kinds.map { kind in
        [
          events.run, kind.name, "\(kind.count)", kind.first.map { "\($0)" } ?? Self.none,
          kind.last.map { "\($0)" } ?? Self.none,
        ]
      }
    }
    if rows.isEmpty { return nil }
    return Table(
      caption: "Events that the logs tell of, by kind", heads: ["Run", "Event", "Times", "First step", "Last step"],
      rows: rows, isWords: true, kind: "events")
  }
}
