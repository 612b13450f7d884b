#!/bin/sh
# drydock-reach TARGET…: for each, `TARGET reached`, `TARGET closed` or `TARGET unknown`, where nothing here can try. A TARGET is
# HOST/PORT, `api` for the cluster's own API, or `dns` for its name service. To be refused counts as closed, too.
t() {
  if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    # shellcheck disable=SC2016 # the inner shell expands
    timeout 3 bash -c ': <>"/dev/tcp/$1/$2"' drydock "$1" "$2"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)' "$1" "$2"
  elif command -v psql >/dev/null 2>&1; then
    # whatever answers, it is no server with this user: only what was not reached counts
    e=$(PGSSLMODE=disable PGCONNECT_TIMEOUT=3 LC_ALL=C psql -XAtw -h "$1" -p "$2" -U drydock -d drydock -c '' 2>&1)
    case $e in *timeout* | *'timed out'* | *refused* | *unreachable* | *'o route'* | *'not permitted'* | *translate*) return 1 ;; esac
  else
    return 9
  fi
}
for a; do
  h=${a%/*} p=${a##*/}
  if [ "$a" = api ]; then
    h=$KUBERNETES_SERVICE_HOST p=$KUBERNETES_SERVICE_PORT
  elif [ "$a" = dns ]; then
    h=$(sed -n 's/^nameserver *//p' /etc/resolv.conf | head -n 1) p=53
  fi
  if [ -z "$h" ] || [ -z "$p" ]; then
    echo "$a unknown"
    continue
  fi
  t "$h" "$p" >/dev/null 2>&1
  case $? in 0) echo "$a reached" ;; 9) echo "$a unknown" ;; *) echo "$a closed" ;; esac
done
