extension Convolution: KeepableLayer {
  public struct Settings: Codable {
    var window: ImageWindow
    var channels: Int
    var groups: Int
    /// The layer's name, of one in groups, which are parameters of their own.
    var called: String?
    var takesFeatures: Bool
    var activation: ActivationRecord
    /// `nil` of a layer without a Fisher matrix.
    var measuredBy: SubsystemRecord?

    enum CodingKeys: String, CodingKey {
      case window, channels, groups, called, activation
      case takesFeatures = "takes_features"
      case measuredBy = "measured_by"
    }
  }

  public static var kind: String { "convolution" }

  public func settings(place: String) throws(DataError) -> Settings {
    var settings = Settings(
      window: shape.window, channels: shape.channels, groups: shape.groups, called: parameters.count > 1 ? name : nil,
      takesFeatures: takesFeatures, activation: try ActivationRecord(activation, place: place))
    if let subsystem = parameters[0].subsystem {
      let own = (subsystem as? DepthwiseLayer)?.layer ?? subsystem
      settings.measuredBy = try SubsystemRecord(own, place: place)
    }
    return settings
  }

  /// A weight for each output, position of the window and channel of its group, and biases.
  public static func tensors(of record: LayerRecord) -> [LayerRecord.Tensor] {
    guard let settings = try? record.settings(as: Settings.self, place: "") else { return [] }
    return [
      .init(
        "weight",
        [
          record.outputs, settings.window.kernel.height, settings.window.kernel.width,
          settings.channels / max(1, settings.groups),
        ]), .init("bias", [record.outputs]),
    ]
  }

  public func exchange(_ tensors: inout KeptTensors<Scalar>) throws(DataError) {
    if parameters.count == 1 {
      try tensors.exchange("weight", &parameters[0].value, columns: 0..<(shape.order - 1))
      try tensors.exchange("bias", &parameters[0].value, columns: (shape.order - 1)..<shape.order)
      return
    }
    gatherWeights()
    try tensors.exchange("weight", &weights, columns: 0..<(shape.order - 1))
    try tensors.exchange("bias", &weights, columns: (shape.order - 1)..<shape.order)
    for group in parameters.indices {
      let count = parameters[group].neurons
      for i in 0..<count { parameters[group].value.copyRow(group * count + i, of: weights, to: i) }
    }
  }

  public convenience init(_ kept: KeptLayer<Scalar>, settings: Settings) throws {
    let record = kept.record
    var subsystem: (any Subsystem)?
    if let measured = settings.measuredBy { subsystem = try kept.subsystem(measured) }
    guard subsystem?.sharesInputs != false, let name = record.name ?? settings.called else { throw kept.mistake }
    var generator = SeededGenerator(seed: 0, stream: .initialisation)
    try self.init(
      try ConvolutionShape(
        settings.window, channels: settings.channels, outputs: record.outputs, groups: settings.groups),
      takesFeatures: settings.takesFeatures, activation: try kept.activation(settings.activation), subsystem: subsystem,
      isMeasured: subsystem != nil, name: name, using: &generator)
  }

  public static func summary(of record: LayerRecord, settings: Settings) -> [String] {
    [
      "\(settings.window)",
      "\(settings.channels) to \(record.outputs) channels"
        + (settings.groups == 1 ? "" : " in \(settings.groups) groups"), settings.activation.summary,
      settings.measuredBy.map { "measured as \($0.summary)" } ?? "not measured",
    ]
  }
}

// MARK: In a description

extension Convolution: DescribedLayer {
  public static func make(
    _ description: LayerDescription, in model: inout ModelUnderConstruction<Scalar>
  ) throws -> any Layer<Scalar> {
    let image = try model.requireImage(description.place)
    let window = try model.window(description)
    let groups =
      try description.flag("depthwise") == true ? image.channels : try description.count("groups") ?? 1
    guard let outputs = try description.count("outputs") ?? (groups == image.channels ? groups : nil) else {
      throw DataError(description.place, expected: "outputs, a number of channels", found: "none")
    }
    let activation = try description.activation() ?? model.activation
    let layer = try Convolution(
      ConvolutionShape(window, channels: image.channels, outputs: outputs, groups: groups),
      takesFeatures: image.isFeatures, activation: activation, isMeasured: model.isMeasured, name: model.name,
      using: &model.generator)
    model.image = .init(size: window.outputs, channels: outputs, isFeatures: false)
    return layer
  }
}
