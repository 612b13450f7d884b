#!/bin/sh
# drydock-stop FOLDER JOB: end the job's own group, found by pid and start time; its outer shell writes the status.
f=$1/$2
[ -e "$f.pid" ] || exit 0
read -r p t <"$f.pid"
g() { [ "$(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null | cut -d' ' -f20)" = "$t" ]; }
for s in TERM TERM TERM KILL; do
  g || exit 0
  kill "-$s" "-$p" 2>/dev/null || kill "-$s" "$p"
  sleep 1
done
