// A user's program: a training loop in ten lines by the library alone, and in the files beside it an activation, a
// subsystem, two metrics and a layer of one's own, without C.
import FisherKit
import TestSupport
import ToolSupport

let data = try SyntheticData.make(training: 2_000, validation: 500, test: 500)
let model = try Sequential<Float>.perceptron(
  shape: [data.width, 16, data.classes], activation: Tanh(), batchCapacity: 500)
let optimizer = try RNGD<Float>(learningRate: 0.02, damping: 0.01, refreshInterval: 20, decay: .l2(1e-4))
let trainer = try Trainer(model: model, optimizer: optimizer, data: data, batchSize: 50)
let score = try trainer.run(epochs: 2) { event in
  if case .epoch(let report) = event { print("epoch \(report.epoch): train loss \(report.training.loss)") }
}
guard score.loss < bound else { fatalError("expected a test loss below \(bound), found \(score.loss)") }

try checkBatches()
try checkActivation()
try checkSubsystem()
try checkMetrics()
try checkLayer()
print("FisherKit works as a dependency: \(line(loss: score.loss)), by \(Compute.level) on \(Compute.threads) threads")
