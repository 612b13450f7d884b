#!/bin/sh
# drydock-poll FOLDER JOB: absent | running OUT ERR READ | ended CODE OUT ERR | lost. READ is how far it is in a file of FOLDER
# that it has open.
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
    i=0
    for d in "/proc/$p/fd/"*; do
      case $(readlink "$d") in
      "$f".*) ;;
      "$1"/*)
        while read -r k v; do
          if [ "$k" = pos: ] && [ "$v" -gt "$i" ]; then i=$v; fi
        done 2>/dev/null <"/proc/$p/fdinfo/${d##*/}"
        ;;
      esac
    done
    echo running "$(($(z "$f.out")))" "$(($(z "$f.err")))" "$i"
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
