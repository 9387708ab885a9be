/// Schedules as text, such as `warm-up:over=5%+cosine:to=0.01`: a name with settings behind colons, and `+` before what comes
/// after it. Parts of training are steps (`100`), epochs (`2ep`) or shares of all steps (`5%`); `over` is how long a piece
/// is, and may go without its name: `warm-up:5%`.
///
///     constant
///     warm-up[:over=L][:from=0]
///     cosine[:to=0]
///     linear[:from=1][:to=0]
///     inverse-root[:shift=100]
///     steps:at=50%,75%[:by=0.1]
///     one-cycle[:peak=30%][:from=0.04][:to=0.000004]
public enum ScheduleText {
  /// What a name stands for.
  public struct Maker: Sendable {
    let make: @Sendable (_ settings: inout ScheduleSettings) throws(FisherError) -> any Schedule

    public init(
      _ make: @escaping @Sendable (_ settings: inout ScheduleSettings) throws(FisherError) -> any Schedule
    ) {
      self.make = make
    }
  }

  /// By name; one's own may be added to a copy.
  public static let builtIn: [String: Maker] = [
    "constant": Maker { _ throws(FisherError) in Constant() },
    "warm-up": Maker { settings throws(FisherError) in WarmUp(from: try settings.number("from") ?? 0) },
    "cosine": Maker { settings throws(FisherError) in Cosine(to: try settings.number("to") ?? 0) },
    "linear": Maker { settings throws(FisherError) in
      LinearSchedule(from: try settings.number("from") ?? 1, to: try settings.number("to") ?? 0)
    },
    "inverse-root": Maker { settings throws(FisherError) in
      InverseRoot(shift: try settings.duration("shift") ?? InverseRoot().shift)
    },
    "steps": Maker { settings throws(FisherError) in
      Staircase(at: try settings.durations("at"), by: try settings.number("by") ?? 0.1)
    },
    "one-cycle": Maker { settings throws(FisherError) in
      let usual = OneCycle()
      return OneCycle(
        peak: try settings.number("peak") ?? usual.peak, from: try settings.number("from") ?? usual.start,
        to: try settings.number("to") ?? usual.end)
    },
  ]

  /// - Throws: `invalidArgument` that says what of the text is not understood.
  public static func parse(_ text: String, makers: [String: Maker] = builtIn) throws(FisherError) -> any Schedule {
    var pieces: [SchedulePieces.Piece] = []
    for part in text.split(separator: "+", omittingEmptySubsequences: false) {
      var settings = try ScheduleSettings(part)
      guard let maker = makers[settings.name] else {
        throw .invalidArgument(
          what: "schedule", expected: makers.keys.sorted().joined(separator: ", "), found: shortText(String(part)))
      }
      let schedule = try maker.make(&settings)
      let length = try settings.duration("over")
      try settings.requireNoMore()
      pieces.append(SchedulePieces.Piece(schedule, over: length))
    }
    let all = SchedulePieces(pieces)
    try all.validate()
    return pieces.count == 1 && pieces[0].length == nil ? pieces[0].schedule : all
  }
}

/// The settings of one piece of a schedule's text, by name.
public struct ScheduleSettings {
  let name: String
  private var values: [String: Substring] = [:]

  init(_ text: Substring) throws(FisherError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    name = parts.first.map(String.init) ?? ""
    for part in parts.dropFirst() {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let (key, value) = words.count == 2 ? (String(words[0]), words[1]) : ("over", part)
      guard !value.isEmpty, values.updateValue(value, forKey: key) == nil else {
        throw .invalidArgument(
          what: "schedule", expected: "a value for each setting of \(name)", found: shortText(String(text)))
      }
    }
  }

  /// A number, also as a percentage; `nil` where it is not there.
  public mutating func number(_ key: String) throws(FisherError) -> Double? {
    guard let text = values.removeValue(forKey: key) else { return nil }
    let number = text.last == "%" ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let number, number.isFinite else { throw refuse(key, "a number", text) }
    return number
  }

  /// Steps, epochs or a share; `nil` where it is not there.
  public mutating func duration(_ key: String) throws(FisherError) -> Duration? {
    guard let text = values.removeValue(forKey: key) else { return nil }
    return try duration(key, text)
  }

  /// Several with commas between them; none where it is not there.
  public mutating func durations(_ key: String) throws(FisherError) -> [Duration] {
    guard let text = values.removeValue(forKey: key) else { return [] }
    var list: [Duration] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) { list.append(try duration(key, part)) }
    return list
  }

  private func duration(_ key: String, _ text: Substring) throws(FisherError) -> Duration {
    let found: Duration? =
      if text.hasSuffix("%") {
        Double(text.dropLast()).map { .share($0 / 100) }
      } else if text.hasSuffix("ep") {
        Double(text.dropLast(2)).map { .epochs($0) }
      } else {
        Int(text).map { .steps($0) }
      }
    guard let found else { throw refuse(key, "steps such as 100, epochs such as 2ep, or a share such as 5%", text) }
    try found.validate("schedule, \(key) of \(name)")
    return found
  }

  func requireNoMore() throws(FisherError) {
    guard let key = values.keys.sorted().first else { return }
    throw .invalidArgument(what: "schedule", expected: "a setting of \(name)", found: shortText(key))
  }

  private func refuse(_ key: String, _ expected: String, _ text: Substring) -> FisherError {
    .invalidArgument(what: "schedule, \(key) of \(name)", expected: expected, found: shortText(String(text)))
  }
}
