# Runs a command twice at the same time; fails if either does.
"$@" &
first=$!
"$@" || exit 1
wait "$first"
