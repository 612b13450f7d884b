#!/bin/sh
# drydock-env NAME=FROM … -- CMD ARG…: give CMD the variables NAME with the values that the container has under FROM.
while [ "$1" != -- ]; do
  l=${1%%=*} r=${1#*=}
  case $l$r in '' | *[!A-Za-z0-9_]*) exit 126 ;; esac
  eval "v=\${$r-}"
  # shellcheck disable=SC2154 # set by eval
  export "$l=$v"
  shift
done
shift
exec "$@"
