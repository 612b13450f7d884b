#!/bin/sh
# drydock-probe FOLDER PROGRAM…: which of the programs are there, who is pid 1, bytes free in FOLDER
f=$1
shift
for p; do command -v "$p" >/dev/null 2>&1 && echo "program $p"; done
read -r c </proc/1/comm && echo "first $c"
# shellcheck disable=SC2046 # the words are wanted
set -- $(df -Pk "$f" | tail -n 1)
echo "free $(($4 * 1024))"
