import CKernels
import Foundation
import Testing

/// Which BLAS there is, and who computes large products.
@Suite struct RouteTests {
  @Test func coresAreKnownByName() {
    for (bytes, names) in [
      (64, ["SkylakeX", "Cooperlake", "SapphireRapids", "SKYLAKEX"]), (32, ["Haswell", "Zen", "ZEN", "haswell"]),
      (16, ["Sandybridge", "Nehalem", "Prescott", "Opteron_SSE3"]), (0, ["unknown", "", "Haswel", "ARMV8"]),
    ] as [(Int32, [String])] {
      for name in names { #expect(fk_blas_core_bytes(name) == bytes, "\(name)") }
    }
  }

  /// OpenBLAS's own words, where OpenBLAS is what is linked.
  @Test func theLibrarySaysWhatItIs() {
    #if os(Linux)
      let (library, core) = (String(cString: fk_blas_library()), String(cString: fk_blas_core()))
      if dlsym(nil, "openblas_get_config") != nil {
        #expect(library.wholeMatch(of: /OpenBLAS \d+\.\d+\S*/) != nil, "\(library)")
      }
      #expect(!core.isEmpty && !core.contains("\n"))
    #endif
  }

  @Test func vectorsOfTheLevels() {
    #expect(fk_level_bytes(-1) == 0 && fk_level_bytes(fk_level_count()) == 0)
    let bytes = (0..<fk_level_count()).map(fk_level_bytes)
    #expect(bytes.first == 16 && bytes == bytes.sorted() && Set(bytes).count == bytes.count)
  }

  /// Our own where BLAS chose narrower vectors than the level has, and never by what a clock says.
  @Test func byItselfItGoesByTheNames() {
    guard ProcessInfo.processInfo.environment["FISHERKIT_PRODUCTS"] ?? "auto" == "auto" else { return }
    let core = fk_blas_core_bytes(fk_blas_core())
    for level in Target.levels {
      withLevel(level) {
        let isNarrower = core > 0 && core < fk_level_bytes(level)
        #expect(fk_product_route_current() == (isNarrower ? FK_PRODUCTS_OWN : FK_PRODUCTS_BLAS))
      }
    }
  }

  @Test func selectionHoldsUntilItIsTakenBack() {
    let standard = fk_product_route_current()
    for route in [FK_PRODUCTS_OWN, FK_PRODUCTS_BLAS] {
      withRoute(route) { #expect(fk_product_route_current() == route) }
    }
    #expect(fk_product_route_current() == standard)
    for wrong in [-1, 3] as [Int32] {
      #expect(fk_set_product_route(fk_product_route(rawValue: wrong)) == FK_INVALID_ARGUMENT)
      #expect(fk_product_route_select(fk_product_route(rawValue: wrong)) == FK_INVALID_ARGUMENT)
    }
    #expect(fk_set_product_route(FK_PRODUCTS_AUTO) == FK_OK && fk_product_route_current() == standard)
  }
}
