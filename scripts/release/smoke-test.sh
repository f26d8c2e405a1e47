#!/bin/sh
# Starts a Kong of its own with the installed plugin on a free port, masks and restores one request, and stops it.
# Needs no network and no upstream: the plugin request-termination echoes what an upstream would have seen.
#
# usage: smoke-test.sh [--prefix DIR]
set -eu
# Kong's workers may run as another user
umask 022

prefix=/usr/local
if [ "${1:-}" = --prefix ] && [ $# -eq 2 ]; then
  prefix=$2
elif [ $# -gt 0 ]; then
  echo "usage: smoke-test.sh [--prefix DIR]" >&2
  exit 2
fi

for program in kong curl; do
  command -v "$program" >/dev/null || { echo "smoke-test: $program is not on the PATH" >&2; exit 1; }
done

scratch=$(mktemp -d)
chmod 0755 "$scratch"
original=i-0f3a9c27be41d8056
# below the ports that the system gives out by itself
port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 10000) }')

export KONG_PREFIX="$scratch/prefix" KONG_DATABASE=off KONG_DECLARATIVE_CONFIG="$scratch/kong.yml" \
  KONG_PLUGINS=bundled,aws-masker KONG_PROXY_LISTEN="127.0.0.1:$port" KONG_ADMIN_LISTEN=off KONG_STATUS_LISTEN=off \
  KONG_ADMIN_GUI_LISTEN=off KONG_NGINX_WORKER_PROCESSES=1 KONG_ANONYMOUS_REPORTS=off \
  KONG_LUA_PACKAGE_PATH="$prefix/share/lua/5.1/?.lua;;" KONG_LUA_PACKAGE_CPATH="$prefix/lib/lua/5.1/?.so;;"

cat > "$scratch/kong.yml" <<'YAML'
_format_version: "3.0"
services:
  - name: nowhere
    host: 127.0.0.1
    port: 9
    routes:
      - name: upstream-view
        paths: ["/upstream-view"]
        plugins:
          - name: aws-masker
            config: { token_secret: smoke-test-0123456789, restore_responses: false }
      - name: client-view
        paths: ["/client-view"]
        plugins:
          - name: aws-masker
            config: { token_secret: smoke-test-0123456789 }
plugins:
  - name: request-termination
    config: { status_code: 200, echo: true }
YAML

finish() {
  status=$?
  kong stop -p "$KONG_PREFIX" >/dev/null 2>&1 || true
  rm -rf "$scratch"
  exit "$status"
}
trap finish EXIT

fail() {
  echo "smoke-test: $*" >&2
  tail -n 20 "$scratch/prefix/logs/error.log" >&2 2>/dev/null || true
  exit 1
}

kong start >"$scratch/start.log" 2>&1 || { cat "$scratch/start.log" >&2; fail "Kong does not start with the plugin"; }

ask() {
  curl -sS --retry 5 --retry-connrefused --max-time 10 -H 'Content-Type: application/json' \
    -d "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Is $original down?\"}]}" \
    "http://127.0.0.1:$port/$1"
}

upstream=$(ask upstream-view) || fail "Kong does not answer"
case $upstream in
  *"$original"*) fail "LEAK: the upstream would have seen the original" ;;
  *EC2_*) ;;
  *) fail "no token where one was expected" ;;
esac
client=$(ask client-view) || fail "Kong does not answer"
case $client in
  *"$original"*) ;;
  *) fail "the original did not come back to the client" ;;
esac

echo "smoke-test: passed (masked for the upstream, restored for the client, $(kong version))"
