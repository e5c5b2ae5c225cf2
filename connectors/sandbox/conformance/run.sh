#!/usr/bin/env bash
# Runs the real jsforce and HubSpot clients against `handoff sandbox`, then checks every SOQL statement that a full run of
# ours sends, and the project that setup exports, with independent parsers. usage: run.sh HANDOFF_BINARY
#
# SPECS=DIR also holds the HubSpot traffic of both against HubSpot's OpenAPI documents, which hubspot/get-specs.sh takes
# from a copy of HubSpot/HubSpot-public-api-spec-collection; they are not licensed for redistribution.
set -euo pipefail
bin=$(realpath "${1:?usage: run.sh HANDOFF_BINARY}")
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || { echo "conformance needs Node.js 20 or newer on the PATH" >&2; exit 1; }
for part in salesforce salesforce/project hubspot; do
  [[ $here/$part/node_modules/.package-lock.json -nt $here/$part/package-lock.json ]] ||
    (cd "$here/$part" && npm ci --no-audit --no-fund --loglevel=error)
done
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
  salesforce=$(address salesforce)
  hubspot=$(address hubspot)
}

address() { sed -n "/^\[connections\.$1\]/,/^\[/s/^url = \"\(http[^\"]*\)\"/\1/p" "$work/config.toml"; }

validate() { # a log of HubSpot traffic
  [[ -z ${SPECS:-} ]] || node "$here/hubspot/validate-traffic.mjs" "$1" --specs "$SPECS" | tail -1
}

echo "== jsforce against the Salesforce sandbox"
start
SF_URL=$salesforce SF_CLIENT_ID=sandbox-client SF_CLIENT_SECRET=sandbox-secret SF_USERNAME=revops@sandbox.example \
  SF_PASSWORD=sandbox-password node "$here/salesforce/conformance-jsforce.mjs"
echo "== HubSpot's client against the HubSpot sandbox"
HS_URL=$hubspot HS_TOKEN=sandbox-token HS_TOKEN_NOSCOPE=sandbox-token-noscope HS_API=v3,2026-09 HS_LOG=$work/client.ndjson \
  node "$here/hubspot/conformance-hubspot.mjs"
validate "$work/client.ndjson"
stop

echo "== what a full run of ours sends"
start
"$bin" --config "$work/config.toml" setup --apply >/dev/null
"$bin" --config "$work/config.toml" run --once >/dev/null 2>&1
"$bin" --config "$work/config.toml" run --once >/dev/null 2>&1
curl -sf "$salesforce/_sandbox/log" >"$work/salesforce.ndjson"
curl -sf "$hubspot/_sandbox/log" >"$work/hubspot.ndjson"
node "$here/salesforce/statements.mjs" <"$work/salesforce.ndjson" >"$work/statements"
node "$here/salesforce/soql-check.mjs" <"$work/statements" | tail -1
validate "$work/hubspot.ndjson"

echo "== the project that setup exports, as Salesforce's command line reads it"
"$bin" --config "$work/config.toml" setup --export "$work/project" >/dev/null
node "$here/salesforce/project/project-check.mjs" "$work/project"
