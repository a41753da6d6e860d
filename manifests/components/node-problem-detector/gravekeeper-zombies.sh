#!/bin/sh
# A custom plugin of node-problem-detector: says what Gravekeeper's scanner on this node found last.
#
#   gravekeeper-zombies.sh [FILE [MAX_AGE_SECONDS]]
#
# FILE holds three lines, which the scanner writes after each pass: the time in seconds since 1970, the status, and a
# message. Prints the message, and exits with the status: 0 no zombies, 1 zombies, 2 not known. A FILE that is missing,
# not readable, too old or not of that form is 2, with a message of its own. Nothing in FILE is trusted to be as
# it should be: it is read once and no further than 4,096 bytes, and only printable ASCII is printed.
set -u
LC_ALL=C
export LC_ALL

file=${1:-/run/gravekeeper/scan/npd}
max_age=${2:-120}

unknown() {
  printf '%s\n' "$1"
  exit 2
}

# Whether it is a whole number of at most eleven digits: more, or a leading zero, would trip the arithmetic.
is_number() {
  case $1 in
    '' | *[!0-9]* | 0?* | ????????????*) return 1 ;;
  esac
}

is_number "$max_age" || unknown "the second argument is the greatest age in seconds, not '$max_age'"
[ -e "$file" ] || [ -h "$file" ] || unknown "$file is missing: does the scanner run on this node, with --npd-file?"
# A link could lead anywhere, and a pipe would wait for ever.
[ -f "$file" ] && [ ! -h "$file" ] || unknown "$file is not a plain file"
[ -r "$file" ] || unknown "$file cannot be read"
content=$(dd if="$file" bs=4096 count=1 2>/dev/null | tr -d '\000')

newline='
'
written=${content%%"$newline"*}
rest=${content#*"$newline"}
status=${rest%%"$newline"*}
message=${rest#*"$newline"}
message=${message%%"$newline"*}

is_number "$written" || unknown "$file does not begin with a time in seconds"
case $status in
  [012]) ;;
  *) unknown "$file has no status 0, 1 or 2 in its second line" ;;
esac
case $rest in
  *"$newline"*) ;;
  *) message='' ;;
esac
message=$(printf '%s' "$message" | tr -c ' -~' '?')
[ -n "$message" ] || unknown "$file has no message in its third line"

age=$(($(date +%s) - written))
[ "$age" -ge -60 ] || unknown "the scanner's result is from the future, by $((-age)) s: which clock is wrong?"
[ "$age" -le "$max_age" ] || unknown "the scanner's last result is $age s old, more than $max_age s: does it still run?"

printf '%s\n' "$message"
exit "$status"
