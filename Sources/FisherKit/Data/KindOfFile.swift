/// What a file is that is not what it was taken for, as far as its first bytes tell: what downloads, archives and
/// version control leave in the place of data. `nil` where they tell nothing.
func kindOfFile(startingWith bytes: some Collection<UInt8>) -> String? {
  for (magic, kind) in magics where bytes.starts(with: magic) { return kind }
  var text = bytes.prefix(64)[...]
  if text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }
  text = text.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
  guard let first = text.first, text.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || [0x09, 0x0a, 0x0d].contains($0) }) else {
    return nil
  }
  if text.starts(with: "version https://git-lfs".utf8) {
    return "a Git LFS pointer (git lfs pull fetches the file that it stands for)"
  }
  return first == UInt8(ascii: "<") ? "an HTML or XML page" : "text"
}

private let magics: [([UInt8], String)] = [
  ([0x1f, 0x8b], "gzip data"), (Array("PK\u{3}\u{4}".utf8), "a ZIP archive (as NPZ files are)"),
  (Array("BZh".utf8), "bzip2 data"), ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz data"),
  ([0x28, 0xb5, 0x2f, 0xfd], "zstd data"), (NPYHeader.magic, "an NPY file"), ([0x89, 0x50, 0x4e, 0x47], "a PNG image"),
  ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"), ([0xff, 0xd8, 0xff], "a JPEG image"),
  ([0x80, 0x02], "a pickle of Python"),
  ([0x80, 0x04], "a pickle of Python"), ([0, 0, 8, 1], "an IDX file"), ([0, 0, 8, 3], "an IDX file"),
  (Array("%PDF".utf8), "a PDF document"),
]
