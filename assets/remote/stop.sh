#!/bin/sh
# drydock-stop FOLDER JOB: end the job, found by pid and start time; its outer shell writes the status.
f=$1/$2
# one that is just being started is waited for
i=0
while [ -d "$f.d" ] && [ ! -e "$f.pid" ] && [ $i -lt 50 ]; do
  sleep 0.1
  i=$((i + 1))
done
[ -e "$f.pid" ] || exit 0
read -r p t <"$f.pid"
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
g() { [ "$(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null | cut -d' ' -f20)" = "$t" ]; }
for s in 1 2 3 4 5 6 7 8; do
  g || exit 0
  if [ "$s" -lt 6 ]; then
    # shellcheck disable=SC2046 # one word each
    kill -TERM $(v "$p") 2>/dev/null
  elif [ "$s" = 6 ]; then
    kill -TERM "$p"
  fi
  sleep 1
done
g && kill -KILL "$p"
