#!/usr/bin/env bash
# Runs the real jsforce client against `handoff sandbox`, then checks every SOQL statement that a full run of ours sends
# with an independent parser. usage: run.sh HANDOFF_BINARY
set -euo pipefail
bin=$(realpath "${1:?usage: run.sh HANDOFF_BINARY}")
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || { echo "conformance needs Node.js 20 or newer on the PATH" >&2; exit 1; }
[[ -d $here/node_modules ]] && [[ $here/node_modules/.package-lock.json -nt $here/package-lock.json ]] ||
  (cd "$here" && npm ci --no-audit --no-fund --loglevel=error)
work=$(mktemp -d)
sandbox=
stop() { [[ -z $sandbox ]] || { kill "$sandbox" 2>/dev/null || true; wait "$sandbox" 2>/dev/null || true; sandbox=; }; }
trap 'stop; rm -rf "$work"' EXIT

start() { # a sandbox on free ports, with its configuration in $work/config.toml
  : >"$work/ready"
  "$bin" sandbox --salesforce 127.0.0.1:0 --hubspot 127.0.0.1:0 --write-config "$work/config.toml" "$@" >"$work/ready" 2>"$work/sandbox.err" &
  sandbox=$!
  for _ in $(seq 300); do
    grep -q '^ready' "$work/ready" && break
    kill -0 "$sandbox" 2>/dev/null || { cat "$work/sandbox.err" >&2; exit 1; }
    sleep 0.1
  done
  url=$(sed -n 's/^url = "\(http[^"]*\)"/\1/p' "$work/config.toml" | head -1)
}

echo "== jsforce against the sandbox"
start
SF_URL=$url SF_CLIENT_ID=sandbox-client SF_CLIENT_SECRET=sandbox-secret SF_USERNAME=revops@sandbox.example \
  SF_PASSWORD=sandbox-password node "$here/conformance-jsforce.mjs"
stop

echo "== SOQL of a full run, by an independent parser"
start
"$bin" --config "$work/config.toml" setup --apply >/dev/null
"$bin" --config "$work/config.toml" run --once >/dev/null
"$bin" --config "$work/config.toml" run --once >/dev/null
curl -sf "$url/_sandbox/log" >"$work/traffic.ndjson"
node "$here/statements.mjs" <"$work/traffic.ndjson" >"$work/statements"
node "$here/soql-check.mjs" <"$work/statements" | tail -1
