#!/usr/bin/env bash
# Runs lit on a build folder's tests and ends with the line "N passed, N failed, N skipped".
# Usage: scripts/run-tests.sh BUILD [lit options]
set -uo pipefail
build=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${LIT:-/usr/lib/llvm-22/bin/lit}" -v --order=smart "$@" "$build/test" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
count() { awk -v names="$1" 'BEGIN { n = split(names, name, ",") }
  { for (i = 1; i <= n; ++i) if ($0 ~ "^ *" name[i] " *: *[0-9]+") { sub(/^[^:]*: */, ""); sum += $1 } } END { print sum + 0 }' "$log"; }
passed=$(count "Passed,Expectedly Failed")
failed=$(count "Failed,Unresolved,Timed Out,Unexpectedly Passed")
skipped=$(count "Unsupported,Skipped,Excluded")
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
  failed=1 # lit itself stopped
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
