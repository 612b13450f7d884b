#!/bin/sh
# drydock-start FOLDER JOB CMD ARG…: run CMD detached. Output, errors, pid with start time, and status go to FOLDER/JOB.*.
# The outer shell lives as long as CMD, reaps it and exits 0 whatever happens.
f=$1/$2
shift 2
[ -e "$f.pid" ] && exit 0
# of several starts at once one makes this folder and begins; the others wait for its pid
if mkdir "$f.d" 2>/dev/null; then
  # room for pid and status is taken now: CMD may fill the disk
  if ! { printf '%32s\n' '' >"$f.p" && echo 125 >"$f.s"; } 2>/dev/null; then
    rmdir "$f.d"
    echo "no room for the files of this job" >&2
    exit 125
  fi
  s=
  command -v setsid >/dev/null 2>&1 && s=setsid
  # The shell between ends at once, so that the job is nobody's descendant here: whoever cuts this start off stops its tree.
  # shellcheck disable=SC2016 # the inner shell expands
  ($s sh -c 'f=$1 s=$2; shift 2
$s "$@" >"$f.out" 2>"$f.err" </dev/null & p=$!
t=$(sed "s/.*) //" "/proc/$p/stat" | cut -d" " -f20)
echo "$p $t" 1<>"$f.p"; mv "$f.p" "$f.pid"
wait "$p"; echo $? 1<>"$f.s"; mv "$f.s" "$f.status"; exit 0' drydock-job "$f" "$s" "$@" >/dev/null 2>&1 </dev/null &)
elif [ ! -d "$f.d" ]; then
  echo "no room for the files of this job" >&2
  exit 125
fi
i=0
while [ ! -e "$f.pid" ] && [ $i -lt 50 ]; do
  sleep 0.1
  i=$((i + 1))
done
[ -e "$f.pid" ] && exit 0
echo "a start of this job did not come to its end" >&2
exit 1
