import ArgumentParser
import FisherKit
import FisherKitToolSupport
import Foundation

enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case html, csv, markdown
}

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a page of training runs: figures, tables and comparisons.",
    discussion: """
      Example: fisher report mnist.jsonl --out report.html

      RUNS are logs of `fisher experiment` and of `fisher train --log`, or /dev/stdin. The page is one file that needs \
      no network. csv has a row for each run and epoch, markdown has the tables; both go to the standard output unless \
      --out is given.
      """)

  @Argument(help: ArgumentHelp("Logs of runs.", valueName: "runs")) var files: [String]
  @Option(help: "What to make.") var format = ReportFormat.html
  @Option(help: ArgumentHelp("Where to write it.", valueName: "file")) var out: String?
  @Option(help: ArgumentHelp("A folder for the figures as SVG, for papers.", valueName: "folder")) var svgDir: String?

  func validate() throws {
    guard out != nil || format != .html else {
      throw ValidationError("--out: expected the file that the page is to be, found none")
    }
  }

  func run() throws {
    let input = try RunFiles(paths: files)
    for warning in input.warnings { Standard.printError(line: warning) }
    let study = Study(input)
    let figures = svgDir == nil ? [] : FigureSVG.all(study)
    let text =
      switch format {
      case .html: try Page(study: study).html()
      case .csv: try CSVReport(study: study).text()
      case .markdown: MarkdownReport(study: study, figures: figures.map(link)).text
      }
    let output = ReportOutput(inputs: files)
    if let out { try output.add(text, path: out, flag: "--out") }
    if let svgDir {
      try output.addFolder(svgDir, flag: "--svg-dir")
      for figure in figures {
        try output.add(figure.text, path: "\(svgDir)/\(figure.name).svg", flag: "--svg-dir")
      }
    }
    try output.finish()
    if out == nil { Standard.print(document: text) }
  }

  /// A figure's place as seen from the text's folder.
  private func link(_ figure: FigureSVG) -> (network: String, path: String, title: String) {
    func folders(_ path: String) -> [String] {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().pathComponents
    }
    let from = folders(out.map { ($0 as NSString).deletingLastPathComponent }.flatMap { $0.isEmpty ? nil : $0 } ?? ".")
    let to = folders(svgDir ?? ".")
    let common = zip(from, to).prefix { $0 == $1 }.count
    let path = from.dropFirst(common).map { _ in ".." } + to.dropFirst(common) + ["\(figure.name).svg"]
    let text = path.joined(separator: "/")
    return (figure.network, text.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? text, figure.title)
  }
}
