// swift-tools-version: 6.2
import Foundation
import PackageDescription

// FISHERKIT_STRICT=1 (set by scripts/test) turns every warning in this package into an error.
let strict = Context.environment["FISHERKIT_STRICT"] == "1"
let strictC: [CSetting] = strict ? [.treatAllWarnings(as: .error)] : []
let strictSwift: [SwiftSetting] = strict ? [.treatAllWarnings(as: .error)] : []

// The C kernels carry their own optimisation level: `swift run bench-fisher` is a debug build, and its figures count.
let kernelFlags: [CSetting] = [
  .headerSearchPath("Sources/CKernels"),
  .unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wextra", "-Wshadow", "-Wshorten-64-to-32"]),
  .unsafeFlags(["-fopenmp"], .when(platforms: [.linux])),
]

// A package shares one space of target names with those it depends on, so ours are called after FisherKit wherever
// another might have the same idea; CKernels alone is not. Tests have no such space.
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "FisherKit",
  products: [
    .library(name: "FisherKit", targets: ["FisherKit"]),
    .executable(name: "fisher", targets: ["FisherKitTool"]),
    .executable(name: "bench-fisher", targets: ["FisherKitBench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .target(
      name: "CKernels",
      path: ".",
      exclude: [
        "Benchmarks", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "Sources/CFisherProcess",
        // (headers, and bodies that other files include: none of them is compiled by itself)
        "Sources/CKernels/drivers/bodies", "Sources/CKernels/internal", "Sources/CKernels/leaf", "Sources/CZlib",
        "Sources/FisherKit", "Sources/ToolSupport", "Sources/fisher", "Tests", "docs", "scripts",
      ],
      sources: ["Sources/CKernels"],
      publicHeadersPath: "include",
      cSettings: kernelFlags + strictC,
      linkerSettings: [
        .linkedLibrary("openblas"),
        .linkedLibrary("lapacke"),
        .linkedLibrary("omp5", .when(platforms: [.linux])),
        .linkedLibrary("m", .when(platforms: [.linux])),
      ]
    ),
    .systemLibrary(name: "CFisherKitZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "FisherKit", dependencies: ["CKernels", "CFisherKitZlib"],
      // `Span` properties of our own storage need a lifetime; nothing else does.
      swiftSettings: [.enableExperimentalFeature("Lifetimes")] + strictSwift),
    // What the command line tools share, and of that what has to be C.
    .target(
      name: "CFisherKitProcess", dependencies: ["CKernels"], path: "Sources/CFisherProcess",
      cSettings: [.define("_GNU_SOURCE")] + strictC),
    .target(
      name: "FisherKitToolSupport", dependencies: ["CFisherKitProcess", "FisherKit", argumentParser],
      path: "Sources/ToolSupport", swiftSettings: strictSwift),
    .executableTarget(
      name: "FisherKitTool", dependencies: ["FisherKit", "FisherKitToolSupport", argumentParser],
      path: "Sources/fisher",
      swiftSettings: strictSwift),
    // The reference implementation: plain Swift in double precision, what every kernel is compared with.
    // It is optimised even in debug builds, where it would otherwise take most of a test run.
    .target(
      name: "FisherKitTestSupport", path: "Tests/TestSupport",
      swiftSettings: [.unsafeFlags(["-O"])] + strictSwift),
    .executableTarget(
      name: "FisherKitBench",
      dependencies: ["CKernels", "FisherKit", "FisherKitTestSupport", "FisherKitToolSupport", argumentParser],
      path: "Benchmarks/bench-fisher",
      swiftSettings: strictSwift),
    .testTarget(
      name: "CKernelsTests", dependencies: ["CKernels", "FisherKit", "FisherKitTestSupport"], swiftSettings: strictSwift
    ),
    .testTarget(
      name: "FisherKitTests", dependencies: ["FisherKit", "FisherKitTestSupport"], swiftSettings: strictSwift),
    .testTarget(
      name: "FisherToolTests",
      dependencies: ["FisherKitTool", "FisherKitBench", "FisherKit", "FisherKitTestSupport", "FisherKitToolSupport"],
      swiftSettings: strictSwift),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// A version that another package depends on is the library alone: whoever links it fetches no ArgumentParser, and may have
// programs of the same names, which SwiftPM would otherwise build ours for. To resolve versions SwiftPM reads a manifest as
// if it lay in /, where it is not, and one in its folder of checkouts afterwards.
let folder = URL(fileURLWithPath: Context.packageDirectory)
let parent = folder.deletingLastPathComponent()
let isDependency =
  folder.path == "/" && !isThere("Package.swift", in: folder)
  || parent.lastPathComponent == "checkouts" && isThere("workspace-state.json", in: parent.deletingLastPathComponent())
if isDependency {
  package.dependencies = []
  package.products.removeAll { $0.name != "FisherKit" }
  package.targets.removeAll { !["CKernels", "CFisherKitZlib", "FisherKit"].contains($0.name) }
}

func isThere(_ file: String, in folder: URL) -> Bool {
  FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path)
}

// FISHERKIT_FUZZ=1 (set by scripts/fuzz) makes one program of the readers, whose main function is libFuzzer's: the tool
// is a library then, without its own.
if Context.environment["FISHERKIT_FUZZ"] == "1",
  let tool = package.targets.first(where: { $0.name == "FisherKitTool" })
{
  let programs = ["FisherKitTool", "FisherKitBench"]
  package.products.removeAll { $0.name == "fisher" || $0.name == "bench-fisher" }
  package.targets.removeAll { $0.isTest || programs.contains($0.name) }
  package.targets += [
    .target(
      name: "FisherKitTool", dependencies: tool.dependencies, path: tool.path, exclude: ["Fisher.swift"],
      swiftSettings: strictSwift),
    .executableTarget(
      name: "fuzz-readers", dependencies: ["FisherKitTool", "FisherKit", "FisherKitTestSupport"], path: "Tests/Fuzz",
      exclude: ["corpus", "dictionary"], swiftSettings: strictSwift),
  ]
}
