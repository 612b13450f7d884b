#!/bin/sh
# drydock-run NONCE INPUT_BYTES CMD ARG…: run CMD with the first INPUT_BYTES of stdin, then end the output with the trailer
# NONCE:EXIT:BYTES and wait for one line on stdin, the acknowledgement. The end of stdin is the order to stop CMD.
# Nothing may outlive this shell unreaped, and it always exits 0: under a postgres as pid 1 an orphan's status counts.
exec 3<&0
o=$1 n=$2
shift 2
d=$(mktemp -d) || exit 125
s=
command -v setsid >/dev/null 2>&1 && s=setsid
mkfifo "$d/i" "$d/o"
LC_ALL=C dd bs=65536 <"$d/o" 2>"$d/n" 3<&- &
c=$!
(exec $s "$@" <"$d/i" >"$d/o" 3<&-) &
p=$!
if [ "$n" = 0 ]; then : >"$d/i"; else head -c "$n" <&3 >"$d/i"; fi
# Ending a tree: leaves first, each reaped by its living parent. An orphan that a signal ends would count as a crashed backend.
c() {
  for q in /proc/[0-9]*/stat; do
    { read -r l <"$q"; } 2>/dev/null || continue
    r=${l##*) }
    case $r in Z*) continue ;; esac
    r=${r#* }
    [ "${r%% *}" = "$1" ] && echo "${l%% *}"
  done
}
v() {
  k=$(c "$1")
  if [ -z "$k" ]; then echo "$1"; else for z in $k; do v "$z"; done; fi
}
(
  if read -r _ <&3; then exit 0; fi
  [ -d "$d" ] || exit 0
  : >"$d/k"
  kill -TERM "$c"
  for s in 1 2 3 4 5 6 7 8; do
    [ -d "$d" ] || exit 0
    if [ "$s" -lt 6 ]; then
      # shellcheck disable=SC2046 # one word each
      kill -TERM $(v "$p")
    elif [ "$s" = 6 ]; then
      kill -TERM "$p"
    fi
    sleep 1
  done
  kill -KILL "$p"
) >/dev/null 2>&1 &
w=$!
wait "$p"
x=$?
wait "$c"
if [ -e "$d/k" ]; then
  rm -rf "$d"
  wait "$w"
  exit 0
fi
b=$(sed -n 's/^\([0-9]*\) bytes.*/\1/p' "$d/n")
rm -rf "$d"
printf '%s:%d:%d\n' "$o" "$x" "${b:-0}"
wait "$w"
exit 0
