#!/bin/sh
# drydock-poll FOLDER JOB: absent | running OUT ERR | ended CODE OUT ERR | lost
f=$1/$2
z() { wc -c 2>/dev/null <"$1" || echo 0; }
if [ ! -e "$f.pid" ]; then
  echo absent
  exit
fi
if [ ! -e "$f.status" ]; then
  read -r p t <"$f.pid"
  n=$(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null | cut -d' ' -f20)
  if [ -n "$t" ] && [ "$n" = "$t" ]; then
    echo running "$(($(z "$f.out")))" "$(($(z "$f.err")))"
    exit
  fi
  sleep 1
fi
if [ -e "$f.status" ]; then
  read -r x <"$f.status"
  echo ended "${x:-125}" "$(($(z "$f.out")))" "$(($(z "$f.err")))"
else
  echo lost
fi
