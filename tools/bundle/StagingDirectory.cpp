//===- StagingDirectory.cpp - A bundle under construction ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StagingDirectory.h"

#include "support/Error.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sesame {

namespace fs = std::filesystem;

/// What the signal handler removes: a copy that needs no allocation to read. One bundle is built at a time in
/// a process.
static char activePath[4096];
static volatile std::sig_atomic_t isActive = 0;

/// Removes a flat directory with system calls only, as a signal handler may.
static void removeActiveDirectory() {
  int directory = open(activePath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0)
    return;
  alignas(8) static char buffer[8192];
  for (;;) {
    long size = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0)
      break;
    for (long at = 0; at < size;) {
      // struct linux_dirent64: ino (8), off (8), reclen (2), type (1), name.
      unsigned short length;
      std::memcpy(&length, buffer + at + 16, sizeof length);
      const char *name = buffer + at + 19;
      if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0)
        unlinkat(directory, name, 0);
      at += length;
    }
  }
  close(directory);
  rmdir(activePath);
}

static void onStop(int signal) {
  if (isActive)
    removeActiveDirectory();
  static const char text[] = "sesame: error: interrupted, nothing was written\n";
  [[maybe_unused]] ssize_t ignored = write(2, text, sizeof text - 1);
  _exit(128 + signal);
}

StagingDirectory::StagingDirectory(std::string path) : finalPath(std::move(path)) {
  while (finalPath.size() > 1 && finalPath.back() == '/')
    finalPath.pop_back();
  if (finalPath.empty())
    throw Error("option '-o': expected a path for the bundle, got an empty one");
  std::error_code status;
  if (fs::exists(fs::symlink_status(finalPath, status)) &&
      !(fs::is_directory(finalPath, status) &&
        (fs::exists(finalPath + "/manifest.json", status) || fs::is_empty(finalPath, status))))
    throw Error(message(finalPath, ": exists and is no bundle; expected a new path or a bundle to replace"));
  static std::atomic<int> number{0};
  stagingPath = message(finalPath, ".partial-", getpid(), "-", number++);
  if (stagingPath.size() >= sizeof activePath)
    throw Error(message(finalPath, ": path is longer than ", sizeof activePath - 32, " bytes"));
  if (mkdir(stagingPath.c_str(), 0777) != 0)
    throw Error(message(finalPath, ": cannot create: ", std::strerror(errno)));
  std::memcpy(activePath, stagingPath.c_str(), stagingPath.size() + 1);
  isActive = 1;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, onStop);
}

StagingDirectory::~StagingDirectory() {
  if (!published) {
    std::error_code ignored;
    fs::remove_all(stagingPath, ignored);
  }
  isActive = 0;
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(signal, SIG_DFL);
}

void StagingDirectory::copyIn(const std::string &source, const std::string &name) {
  std::error_code error;
  fs::copy_file(source, file(name), fs::copy_options::overwrite_existing, error);
  if (error)
    throw Error(message(source, ": cannot copy to ", file(name), ": ", error.message()));
}

void StagingDirectory::write(const std::string &name, const std::string &text) {
  std::FILE *out = std::fopen(file(name).c_str(), "wb");
  bool good = out && std::fwrite(text.data(), 1, text.size(), out) == text.size();
  int code = errno;
  if (out && std::fclose(out) != 0 && good) {
    good = false;
    code = errno;
  }
  if (!good)
    throw Error(message(file(name), ": cannot write: ", std::strerror(code)));
}

void StagingDirectory::publish() {
  // An exchange leaves no moment without a bundle at the final path; where there is nothing yet, a plain
  // rename is as good.
  if (syscall(SYS_renameat2, AT_FDCWD, stagingPath.c_str(), AT_FDCWD, finalPath.c_str(),
              2u /*RENAME_EXCHANGE*/) == 0) {
    std::error_code ignored;
    fs::remove_all(stagingPath, ignored); // now the old bundle
  } else if (std::rename(stagingPath.c_str(), finalPath.c_str()) != 0) {
    throw Error(message(finalPath, ": cannot move the finished bundle here: ", std::strerror(errno)));
  }
  published = true;
  isActive = 0;
}

} // namespace sesame
