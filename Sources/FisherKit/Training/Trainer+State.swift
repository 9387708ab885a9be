extension Trainer: State {
  /// All that the rest of the run depends on: resumed from it, a run goes on as if it had never ended.
  public func visit(_ visitor: StateVisitor) throws {
    try best?.visit(visitor, model: model)
    try visitor.child("model", model)
    try visitor.child("optimizer", optimizer)
    try visitor.child("last good weights", watch)
    try visitor.value("shuffler", &shuffler)
    try visitor.visit("order of the samples", &order)
    try visitor.visit("epochs", &epochsDone, in: 0...(.max))
    try visitor.visit("steps of the epoch", &stepsOfEpoch, in: 0...stepsPerEpoch)
    try visitor.visit("steps", &stepsDone, in: 0...(.max))
    try visitor.visit("seconds", &seconds)
    try visitor.visit("validation loss", &validationLoss)
    try visitor.visit("bound before", &boundBefore, isOfAnyCount: true)
    try visitor.visit("journal", &journal)
    visitor.scratch("targets", bytes: targets.bytes)
    visitor.scratch("samples of a mini-batch", indices)
  }
}
