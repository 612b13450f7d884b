#!/bin/sh
# drydock-digest PATH: BYTES SHA256, or absent
if [ ! -f "$1" ]; then
  echo absent
  exit
fi
h=$(sha256sum <"$1") || exit 1
echo "$(($(wc -c <"$1")))" "${h%% *}"
