import Foundation
import Testing

#if os(Linux)
  /// Limits of the system and settings of the OpenMP runtime: the tool works with what there is or says in one line what
  /// it lacks; it neither waits for ever nor ends with a stack trace.
  @Suite struct LimitTests {
    private let train = "'\(Tool.executable("fisher").path)' train --epochs 1 --quiet"

    private func shell(_ command: String, environment: [String: String] = [:]) throws -> Tool.Result {
      let result = try Tool.run(
        ["-c", "timeout -k 1 120 \(command)"], executable: "/bin/bash", environment: environment)
      #expect(!result.errors.contains("Backtrac") && result.status != 124, "\(command): \(result)")
      return result
    }

    /// Less of it than the libraries take is the system's to refuse.
    @Test(arguments: [200_000, 220_000, 250_000, 300_000]) func addressSpace(kilobytes: Int) throws {
      for threads in [1, 2, 8] {
        let result = try Tool.run(
          ["-c", "ulimit -v \(kilobytes); timeout -k 1 120 \(train) --threads \(threads)"], executable: "/bin/bash")
        #expect(result.status == 0 || result.status == 70, "\(kilobytes), \(threads): \(result)")
        #expect(!result.errors.contains("Backtrac") && !result.errors.contains("OMP:"), "\(result)")
        #expect(result.errors.count { $0 == "\n" } <= 2, "\(result)")
      }
    }

    @Test(arguments: [64, 128, 256, 1024]) func stack(kilobytes: Int) throws {
      let result = try Tool.run(["-c", "ulimit -s \(kilobytes); \(train) --threads 2"], executable: "/bin/bash")
      #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    }

    @Test(arguments: ["64K", "128K", "1", "2M", " 512 k ", "65536B", "", " "]) func threadStack(size: String) throws {
      for name in ["OMP_STACKSIZE", "KMP_STACKSIZE"] {
        let result = try shell("\(train) --threads 2", environment: [name: size])
        #expect(result.status == 0 && result.errors.isEmpty, "\(name)=\(size): \(result)")
      }
    }

    @Test(arguments: ["+2", "0x2", "2.0", "-1", "1,,2", "٢", "9999999999999999999999", "4097"])
    func wrongThreads(value: String) throws {
      let result = try shell(train, environment: ["OMP_NUM_THREADS": value])
      #expect(result.status == 64 && result.errors.contains("1 to 4096 threads, found \(value)"), "\(result)")
      #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }

    @Test(arguments: ["", " ", "2", " 2 ", "2,1"]) func threads(value: String) throws {
      #expect(try shell(train, environment: ["OMP_NUM_THREADS": value]).status == 0, "[\(value)]")
    }

    @Test(arguments: ["x", "-1", "0", "1Q", "99999999999999999999"]) func wrongThreadStack(size: String) throws {
      let result = try shell(train, environment: ["OMP_STACKSIZE": size])
      #expect(result.status == 64 && result.errors.contains("OMP_STACKSIZE: expected a size"), "\(result)")
      #expect(result.errors.count { $0 == "\n" } == 1, "\(result)")
    }

    /// As under a limit of processes: all but the first few threads cannot be made.
    @Test(arguments: [0, 1, 2]) func threadsThatCannotBeMade(possible: Int) throws {
      let folder = try Scratch()
      defer { folder.remove() }
      let (source, library) = (folder.file("few.c"), folder.file("few.so"))
      try """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <pthread.h>
      static int alive;
      static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
      static int (*make)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
      static int (*join)(pthread_t, void **);
      int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
        if (!make) make = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_NEXT, "pthread_create");
        if (__atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST) > \(possible)) {
          __atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
          return EAGAIN;
        }
        return make(t, a, f, x);
      }
      int pthread_join(pthread_t t, void **r) {
        if (!join) join = (int (*)(pthread_t, void **))dlsym(RTLD_NEXT, "pthread_join");
        __atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
        return join(t, r);
      }
      """.write(toFile: source, atomically: true, encoding: .utf8)
      let built = try Tool.run(
        ["clang", "-w", "-shared", "-fPIC", "-o", library, source, "-ldl"], executable: "/usr/bin/env")
      try #require(built.status == 0, "\(built)")
      let (grid, costs) = try SmallExperiment.prepare(folder)
      for command in [
        "\(train) --threads 3",
        "'\(Tool.executable("fisher").path)' experiment \(grid) --log \(folder.file("e.jsonl")) --cost-model \(costs) "
          + "--jobs 3 --quiet",
      ] {
        let result = try shell("env LD_PRELOAD=\(library) \(command)")
        #expect(result.status == 0, "\(command): \(result)")
        let warning = "warning: expected 3 \(command.contains("--jobs") ? "runs at a time" : "threads"), found room for"
        #expect(result.errors.count { $0 == "\n" } == (possible == 2 ? 0 : 1), "\(result)")
        #expect(possible == 2 || result.errors.contains("\(warning) \(possible + 1)"), "\(result)")
      }
    }

    /// The runtime's mark in /dev/shm is not left behind.
    @Test func sharedMemory() throws {
      let result = try Tool.run(["-c", "\(train) & wait $!; echo $!"], executable: "/bin/sh")
      let process = try #require(Int(result.output.trimmingCharacters(in: .newlines)))
      let marks = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
      #expect(!marks.contains { $0.contains("_\(process)_") }, "\(marks)")
    }

    /// The program begins anew for OpenBLAS, and nobody sees it: the value is the user's again for its children.
    @Test(arguments: [nil, "", "3"]) func environmentOfChildren(value: String?) throws {
      let set = value.map { "OPENBLAS_NUM_THREADS=\($0)" } ?? "-u OPENBLAS_NUM_THREADS"
      // (bench-fisher starts the Python that it compares with, and says what that said)
      let folder = try Scratch()
      defer { folder.remove() }
      let python = folder.file("python")
      try "#!/bin/sh\nenv >'\(folder.file("seen"))'\nexit 1\n".write(toFile: python, atomically: true, encoding: .utf8)
      chmod(python, 0o755)
      let bench = Tool.executable("bench-fisher").path
      _ = try shell(
        "env \(set) '\(bench)' --quick --filter all_finite --peer '\(python)' --peer-script '\(python)'")
      let seen = try String(contentsOfFile: folder.file("seen"), encoding: .utf8).split(separator: "\n")
      let found = seen.filter { $0.contains("OPENBLAS") || $0.hasPrefix("FISHERKIT") }
        .filter {
          !$0.hasPrefix("FISHERKIT_STRICT=") && !$0.hasPrefix("FISHERKIT_TOOLS=") && !$0.hasPrefix("FISHERKIT_TORCH=")
        }.map(String.init)
      #expect(found == (value.map { ["OPENBLAS_NUM_THREADS=\($0)"] } ?? []))
      #expect(!seen.contains { $0.hasPrefix("OMP_STACKSIZE=") })
    }
  }
#endif
