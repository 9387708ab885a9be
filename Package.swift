// swift-tools-version: 6.2
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

let package = Package(
  name: "FisherKit",
  products: [
    .library(name: "FisherKit", targets: ["FisherKit"]),
    .executable(name: "fisher", targets: ["fisher"]),
    .executable(name: "bench-fisher", targets: ["bench-fisher"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
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
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "FisherKit", dependencies: ["CKernels", "CZlib"],
      // `Span` properties of our own storage need a lifetime; nothing else does.
      swiftSettings: [.enableExperimentalFeature("Lifetimes")] + strictSwift),
    // What the command line tools share, and of that what has to be C.
    .target(
      name: "CFisherProcess", dependencies: ["CKernels"], cSettings: [.define("_GNU_SOURCE")] + strictC),
    .target(
      name: "ToolSupport",
      dependencies: [
        "CFisherProcess", "FisherKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strictSwift),
    .executableTarget(
      name: "fisher",
      dependencies: ["FisherKit", "ToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strictSwift),
    // The reference implementation: plain Swift in double precision, what every kernel is compared with.
    // It is optimised even in debug builds, where it would otherwise take most of a test run.
    .target(
      name: "TestSupport", path: "Tests/TestSupport",
      swiftSettings: [.unsafeFlags(["-O"])] + strictSwift),
    .executableTarget(
      name: "bench-fisher",
      dependencies: [
        "CKernels", "FisherKit", "TestSupport", "ToolSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/bench-fisher",
      swiftSettings: strictSwift),
    .testTarget(
      name: "CKernelsTests", dependencies: ["CKernels", "FisherKit", "TestSupport"], swiftSettings: strictSwift),
    .testTarget(name: "FisherKitTests", dependencies: ["FisherKit", "TestSupport"], swiftSettings: strictSwift),
    .testTarget(
      name: "FisherToolTests", dependencies: ["fisher", "bench-fisher", "FisherKit", "TestSupport", "ToolSupport"],
      swiftSettings: strictSwift),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// FISHERKIT_FUZZ=1 (set by scripts/fuzz) makes one program of the readers, whose main function is libFuzzer's: the tool
// is a library then, without its own.
if Context.environment["FISHERKIT_FUZZ"] == "1", let fisher = package.targets.first(where: { $0.name == "fisher" }) {
  package.products.removeAll { $0.name == "fisher" || $0.name == "bench-fisher" }
  package.targets.removeAll { $0.isTest || $0.name == "fisher" || $0.name == "bench-fisher" }
  package.targets += [
    .target(name: "fisher", dependencies: fisher.dependencies, exclude: ["Fisher.swift"], swiftSettings: strictSwift),
    .executableTarget(
      name: "fuzz-readers", dependencies: ["fisher", "FisherKit", "TestSupport"], path: "Tests/Fuzz",
      exclude: ["corpus", "dictionary"], swiftSettings: strictSwift),
  ]
}
