#!/bin/sh
# refuse-vectors.sh PYTHON SCRIPT FOLDER KIND: what `sesame neighbors` says of a damaged file; fails unless it ends with status 1, says one line,
# and prints nothing.
"$1" "$2" "$3/$4" "$4" || exit 2
sesame neighbors "$3/$4" dog >"$3/$4.out" 2>"$3/$4.err"
status=$?
cat "$3/$4.err"
[ $status -eq 1 ] && [ ! -s "$3/$4.out" ] && [ "$(wc -l <"$3/$4.err")" -eq 1 ]
