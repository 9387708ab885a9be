import FisherKitToolSupport
import Foundation
import Testing

@testable import FisherKitTool

/// Curves, and where they are drawn.
@Suite struct ReportFigureTests {
  private let figure = NetworkFigure(Study(headers: [ReportLog.header], runs: ReportLog.runs).networks[0])

  /// Means over the runs at each epoch, by epochs and by seconds.
  @Test func means() throws {
    for (panels, x) in [(figure.whole, \RunRecord.Epoch.epochNumber), (figure.bySeconds, \.seconds)] {
      for panel in panels {
        func y(_ epoch: RunRecord.Epoch) -> Double {
          panel.heading.hasPrefix("training loss") ? epoch.trainLoss : epoch.validationAccuracy ?? .nan
        }
        for series in panel.series {
          let runs = ReportLog.runs.filter {
            $0.network == "plain" && $0.optimizer == series.name && $0.learningRate == 0.01
          }
          #expect(runs.count == 3 && series.mean.count == 8 && series.averaged == 3)
          for (index, point) in series.mean.enumerated() {
            let epochs = runs.map { $0.epochs[index] }
            let (a, b) = (epochs.map { $0[keyPath: x] }, epochs.map(y))
            #expect(abs(point.x - (a[0] + a[1] + a[2]) / 3) < 1e-12 && abs(point.y - (b[0] + b[1] + b[2]) / 3) < 1e-12)
          }
        }
      }
    }
    #expect(figure.whole.count == 2 && figure.bySeconds.count == 1)
  }

  /// The second half of 8 epochs is from 4 to 8.
  @Test func secondHalf() {
    #expect(figure.zoomed.count == 2)
    for panel in figure.zoomed {
      // (a range has 2 % of room at both ends)
      #expect(abs(panel.x.low - 3.92) < 1e-9 && abs(panel.x.high - 8.08) < 1e-9, "\(panel.x)")
    }
  }

  /// A picture's y grows downwards: the largest value is at its top.
  @Test func places() throws {
    let axis = try #require(Axis("a", over: [0, 10], room: 0))
    let panel = Panel(
      heading: "h", title: "t", description: "d", x: axis, y: axis,
      series: [.init(place: 0, name: "n", runs: [], mean: [(0, 0), (10, 10), (5, 2.5)], averaged: 1)])
    let (width, height) = (PanelSVG.plotWidth, PanelSVG.plotHeight)
    let expected = [(0, height), (width, 0), (width / 2, 0.75 * height)]
      .map { String(format: "%.2f,%.2f", $0.0, $0.1) }.joined(separator: " ")
    #expect(PanelSVG(panel: panel).content.contains("points=\"\(expected)\""), "\(PanelSVG(panel: panel).content)")
  }
}

extension RunRecord.Epoch {
  fileprivate var epochNumber: Double { Double(epoch) }
}
