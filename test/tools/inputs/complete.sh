# What bash would offer for the last of the words: complete.sh SCRIPT WORD...
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_sesame
printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d'
