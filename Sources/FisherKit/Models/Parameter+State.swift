extension Parameter: State {
  /// The weights; a gradient is taken anew by each mini-batch.
  public func visit(_ visitor: StateVisitor) throws {
    try visitor.visit("value", &value)
    visitor.scratch("gradient", gradient)
  }
}
