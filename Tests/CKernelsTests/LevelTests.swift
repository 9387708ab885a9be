import CKernels
import Foundation
import Testing

@Suite struct LevelTests {
  @Test func namesAreDistinctAndThePlainestComesFirst() {
    let names = (0..<fk_level_count()).map { String(cString: fk_level_name($0)) }
    #expect(names.first == "baseline")
    #expect(Set(names).count == names.count)
    #expect(fk_level_name(-1) == nil)
    #expect(fk_level_name(fk_level_count()) == nil)
  }

  @Test func onlyLevelsOfTheTableAreSupported() {
    #expect(fk_level_supported(0) == 1)
    #expect(fk_level_supported(-1) == 0)
    #expect(fk_level_supported(fk_level_count()) == 0)
  }

  @Test func defaultIsTheEnvironmentsOrTheBest() {
    fk_level_select(-1)
    let wanted = ProcessInfo.processInfo.environment["FISHERKIT_CPU"]
    let named = Target.levels.first { String(cString: fk_level_name($0)) == wanted }
    #expect(fk_level_current() == named ?? Target.levels.last)
  }

  @Test func selectionHoldsUntilItIsTakenBack() {
    fk_level_select(-1)
    let standard = fk_level_current()
    for level in Target.levels {
      #expect(fk_level_select(level) == FK_OK)
      #expect(fk_level_current() == level)
    }
    #expect(fk_level_select(-1) == FK_OK)
    #expect(fk_level_current() == standard)
  }

  @Test func unknownLevelIsRefusedAndChangesNothing() {
    withLevel(0) {
      #expect(fk_level_select(fk_level_count()) == FK_UNSUPPORTED)
      #expect(fk_level_select(.max) == FK_UNSUPPORTED)
      #expect(fk_level_current() == 0)
    }
  }

  @Test func selectionIsTheThreadsOwn() {
    withLevel(0) {
      let done = DispatchSemaphore(value: 0)
      nonisolated(unsafe) var elsewhere: Int32 = -1
      Thread {
        elsewhere = fk_level_current()
        done.signal()
      }.start()
      done.wait()
      fk_level_select(-1)
      #expect(elsewhere == fk_level_current())
    }
  }

  @Test func thereIsADefaultNumberOfThreads() {
    #expect(fk_default_threads() >= 1)
  }
}
