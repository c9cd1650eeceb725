#!/usr/bin/env bash
# Installs what a build needs, from Debian 12's own packages. Does nothing when all of it is there.
set -euo pipefail
packages="ccache clang-22 clang-format-22 cmake libbenchmark-dev libclang-rt-22-dev libcli11-dev libgtest-dev liblld-22-dev
  libmlir-22-dev libpcre2-dev libprotobuf-dev libutf8proc-dev lld-22 llvm-22-dev llvm-22-tools make mlir-22-tools ninja-build nlohmann-json3-dev
  pkg-config python3"
missing=""
for package in $packages; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Installing:$missing"
run=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "error: need root or sudo to install:$missing" >&2; exit 1; }
  run=sudo
fi
$run apt-get update -q
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -q --no-install-recommends $missing
