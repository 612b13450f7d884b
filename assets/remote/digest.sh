#!/bin/sh
# drydock-digest PATH: BYTES SHA256, or absent. openssl is four times as fast as sha256sum of coreutils where the processor has no
# instructions for it, and a transfer waits for this; whatever it says that is no hash is not listened to.
if [ ! -f "$1" ]; then
  echo absent
  exit
fi
h=
if command -v openssl >/dev/null 2>&1; then
  h=$(openssl dgst -sha256 -r <"$1" 2>/dev/null)
  h=${h%% *}
fi
case $h in
*[!0-9a-f]*) h= ;;
esac
if [ "${#h}" != 64 ]; then
  h=$(sha256sum <"$1") || exit 1
fi
echo "$(($(wc -c <"$1")))" "${h%% *}"
