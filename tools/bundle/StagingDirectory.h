//===- StagingDirectory.h - A bundle under construction ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_STAGINGDIRECTORY_H
#define SESAME_BUNDLE_STAGINGDIRECTORY_H

#include <string>

namespace sesame {

/// A directory beside the final place, in which a bundle is built and which takes that place at once when it
/// is whole. Nothing of it stays behind when the object is destroyed, or the process is told to stop (SIGINT,
/// SIGTERM, SIGHUP), before that.
///
/// Two processes may build the same bundle at once: each has a directory of its own, and the last to publish
/// wins.
class StagingDirectory {
public:
  /// Creates `finalPath` + ".partial-PID-N". Throws Error if `finalPath` exists and is no bundle (has no
  /// manifest.json), or if its parent is missing or not writable.
  explicit StagingDirectory(std::string finalPath);
  ~StagingDirectory();
  StagingDirectory(const StagingDirectory &) = delete;
  StagingDirectory &operator=(const StagingDirectory &) = delete;

  const std::string &path() const { return stagingPath; }
  std::string file(const std::string &name) const { return stagingPath + "/" + name; }

  /// Copies a file into the directory. Throws Error.
  void copyIn(const std::string &source, const std::string &name);
  /// Writes a small file. Throws Error.
  void write(const std::string &name, const std::string &text);

  /// Puts the directory in its final place, replacing a bundle that stands there. Throws Error.
  void publish();

private:
  std::string finalPath, stagingPath;
  bool published = false;
};

} // namespace sesame

#endif // SESAME_BUNDLE_STAGINGDIRECTORY_H
