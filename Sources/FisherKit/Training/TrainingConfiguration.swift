import Foundation

/// What a checkpoint of a ``Trainer`` belongs to, in words: all settings that the rest of a run depends on to the last bit.
/// What they are is compared, not what they came from: data that were moved are the same data.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  public struct Setting: Codable, Equatable, Sendable {
    public var name: String
    public var value: String
  }

  /// In their order, names only once.
  public var settings: [Setting]
  /// What the data were called.
  public var dataName: String
  /// What an ``AutoMetric`` planned by. It is not compared, as the plan is: a metric with these costs and this cap plans the
  /// same again, on whatever machine.
  public var costs: MachineCosts?
  public var memoryCap: Int?

  /// The first setting in which another one differs; `nil` where there is none.
  public func difference(from other: TrainingConfiguration) -> (name: String, ours: String, theirs: String)? {
    func value(_ name: String, _ settings: [Setting]) -> String {
      settings.first { $0.name == name }?.value ?? "none"
    }
    for name in (settings + other.settings).map(\.name) {
      let (ours, theirs) = (value(name, settings), value(name, other.settings))
      if ours != theirs { return (name, ours, theirs) }
    }
    return nil
  }

  static let note = "configuration"

  func json() -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // (costs are positive numbers, and all else is text)
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

extension CheckpointFile {
  /// What the trainer was that wrote it.
  /// - Throws: ``DataError`` for a checkpoint of something else.
  public func trainingConfiguration() throws(DataError) -> TrainingConfiguration {
    guard let json = notes[TrainingConfiguration.note] else {
      throw DataError(path, expected: "a checkpoint of a training run", found: "one of something else")
    }
    do {
      let found = try JSONDecoder().decode(TrainingConfiguration.self, from: Data(json.utf8))
      guard found.costs?.isValid != false, found.memoryCap ?? 1 > 0 else {
        throw DataError(path, expected: "costs of a machine that are positive numbers", found: "others")
      }
      return found
    } catch let error as DataError {
      throw error
    } catch {
      let summary = (error as? DecodingError)?.summary(of: Data(json.utf8)) ?? "\(error)"
      throw DataError(path, expected: "the configuration of a training run", found: shortText(summary))
    }
  }
}

extension TrainingConfiguration {
  init<Scalar: KernelScalar>(of trainer: Trainer<Scalar>) {
    var list: [(String, String)] = []
    if let model = trainer.model as? Sequential<Scalar> {
      for (index, layer) in model.layers.enumerated() { list.append(("layer \(index + 1)", layer.settingText)) }
    } else {
      list.append(("network", "\(type(of: trainer.model))"))
    }
    for (index, parameter) in trainer.model.parameters.enumerated() {
      list.append(("parameter \(index + 1), \(parameter.name)", parameter.settingText))
    }
    let optimizer = trainer.optimizer
    list += [("optimizer", optimizer.name), ("batch", "\(trainer.batchSize)")]
    list.append(("learning rate", "\(trainer.firstLearningRate)"))
    for (name, value) in optimizer.settings.sorted(by: { $0.key < $1.key }) { list.append((name, value)) }
    list += [
      ("seed", "\(trainer.seed)"), ("data", trainer.data.settingText),
      ("loss", settingText(trainer.loss)), ("measures", settingText(trainer.measures)),
      ("early stopping", settingText(trainer.stopping as Any)), ("recoveries", "\(trainer.recovery.attempts)"),
      ("precision", "\(Scalar.self)"), ("threads", "\(Compute.threads)"), ("CPU", Compute.level),
      ("products", Compute.products),
    ]
    // (last, because it comes of all the others)
    for (index, layer) in optimizer.plan.enumerated() {
      list.append(("plan \(index + 1), \(layer.name)", "\(layer.estimate.summary), \(layer.bytes) bytes"))
    }
    var names: Set<String> = []
    settings = list.filter { names.insert($0.0).inserted }.map { Setting(name: $0.0, value: $0.1) }
    dataName = trainer.data.name
    let metric = optimizer.all(RNGD<Scalar>.self).lazy.compactMap { $0.metric as? AutoMetric }.first
    (costs, memoryCap) = (metric?.costs, metric?.memoryCap)
  }
}

extension DataSplit {
  /// How many samples of what there are, and a checksum of each set.
  fileprivate var settingText: String {
    "\(training.count) + \(validation.count) + \(test.count) samples of \(width) features and "
      + "\(samples.targets.outputs) \(samples.targets.kind), CRC-32 \(samples.checksum) and \(test.checksum)"
  }
}

extension Dataset {
  /// Of features, what they are multiplied by, and targets: eight digits.
  fileprivate var checksum: String {
    var sum = Checksum()
    switch features {
    case .bytes(let bytes, let scale):
      bytes.withUnsafeBytes { sum.add($0) }
      withUnsafeBytes(of: scale) { sum.add($0) }
    case .floats(let floats): floats.withUnsafeBytes { sum.add($0) }
    }
    switch targets {
    case .classes(let labels, _): labels.withUnsafeBytes { sum.add($0) }
    case .numbers(let numbers, _): numbers.withUnsafeBytes { sum.add($0) }
    }
    let digits = String(sum.value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
