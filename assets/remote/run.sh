#!/bin/sh
# drydock-run NONCE INPUT_BYTES count|pass CMD ARG…: run CMD with the first INPUT_BYTES of stdin, then end the output with the
# trailer NONCE:EXIT:BYTES and wait for one line on stdin, the acknowledgement. The end of stdin is the order to stop CMD.
# With "pass" the output is not counted, and a dash stands for BYTES: what counts it takes a tenth of the speed.
# Nothing may outlive this shell unreaped, and it always exits 0: under a postgres as pid 1 an orphan's status counts.
exec 3<&0
o=$1 n=$2 m=$3
shift 3
d=$(mktemp -d) || exit 125
s=
command -v setsid >/dev/null 2>&1 && s=setsid
mkfifo "$d/i"
c=
if [ "$m" = count ]; then
  mkfifo "$d/o"
  LC_ALL=C dd bs=65536 <"$d/o" 2>"$d/n" 3<&- &
  c=$!
  (exec $s "$@" <"$d/i" >"$d/o" 3<&-) &
else
  (exec $s "$@" <"$d/i" 3<&-) &
fi
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
  [ -z "$c" ] || kill -TERM "$c"
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
[ -z "$c" ] || wait "$c"
if [ -e "$d/k" ]; then
  rm -rf "$d"
  wait "$w"
  exit 0
fi
b=-
if [ -n "$c" ]; then
  b=$(sed -n 's/^\([0-9]*\) bytes.*/\1/p' "$d/n")
  b=${b:-0}
fi
rm -rf "$d"
printf '%s:%d:%s\n' "$o" "$x" "$b"
wait "$w"
exit 0
