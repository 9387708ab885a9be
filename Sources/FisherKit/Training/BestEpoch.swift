/// The epoch that came out best on the validation set, and the model as it was then.
final class BestEpoch<Scalar: KernelScalar> {
  private let stopping: EarlyStopping
  /// From 1; 0 before the first one ended.
  private(set) var epoch = 0
  private var badness = Double.infinity
  /// Epochs in a row without a better one.
  private var waited = 0
  private var saved: SavedState

  /// - Throws: ``StateError`` where a layer does not say what it holds.
  init(_ stopping: EarlyStopping, model: any Network<Scalar>) throws {
    self.stopping = stopping
    saved = try SavedState(of: model)
  }

  var bytes: Int { saved.bytes }

  /// Whether no more epochs are waited for.
  var isOver: Bool { waited >= stopping.patience }

  func note(_ report: EpochReport, of model: any Network<Scalar>) throws {
    let found = stopping.badness(of: report).isNaN ? .infinity : stopping.badness(of: report)
    if found < badness - stopping.leastGain || epoch == 0 {
      (epoch, badness, waited) = (report.epoch, found, 0)
      saved = try SavedState(of: model)
    } else {
      waited += 1
    }
  }

  func restore(_ model: any Network<Scalar>) throws { try saved.restore(model) }

  /// The best model is visited as the model that it was, and the present one put back.
  func visit(_ visitor: StateVisitor, model: any Network<Scalar>) throws {
    if visitor.isCounting { return visitor.scratch("best epoch", bytes: saved.bytes) }
    try visitor.visit("best epoch", &epoch, in: 0...(.max))
    try visitor.visit("best badness", &badness)
    try visitor.visit("epochs waited", &waited, in: 0...(.max))
    let present = try SavedState(of: model)
    try saved.restore(model)
    defer { if !visitor.isRestoring { try? present.restore(model) } }
    try visitor.child("best model", model)
    if visitor.isRestoring { saved = try SavedState(of: model) }
  }
}
