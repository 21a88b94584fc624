#!/usr/bin/env bash
# Makes .cargo/onus.profdata anew: builds a program that counts, has it work, and keeps what was counted. To be run when the hot
# paths have changed; the next release build is laid out by it.
#
#   benches/profile.sh                                events from files: `onus check`, and `onus run` with SQLite
#   W1_PEERS=DIR benches/profile.sh                   Kafka, PostgreSQL and the exchange, too (benches/live/README.md says what DIR is)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rustup component add llvm-tools >/dev/null
tool=$(find "$(rustc --print sysroot)" -name llvm-profdata | head -1)
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
ONUS_PROFILE=$home/counted cargo build --release --bin onus --target-dir target/profile
onus=$PWD/target/profile/release/onus

# Whatever is never done here counts as cold, and is laid out small: so all that is measured is done, each by its weight.
# Another draw of W1 than the one that is measured.
cargo run --quiet --example w1 -- --events 1000000 --seed 77 --out "$home/w1.jsonl" --expect "$home/w1.json"
for threads in 1 2; do
    "$onus" check --quiet --threads $threads --contracts examples/w1/w1.yaml --format json "$home/w1.jsonl" >"$home/out" || [[ $? -eq 1 ]]
done
"$onus" test tests/clauses >"$home/out"
"$onus" lint --as-of 2026-06-01 --library config config >"$home/out"
for samples in tests/samples/*.jsonl; do
    source=$(basename "$samples" .jsonl)
    for _ in $(seq 20); do
        "$onus" adapt --record --source "${source%-audit}" --settings tests/samples/adapters.config.json <"$samples" >"$home/out"
    done
done
mkdir "$home/live"
cp examples/w1/w1.yaml "$home/live"
cat >"$home/live/onus.toml" <<TOML
[contracts]
paths = ["w1.yaml"]
[judge]
clock = "events"
[store]
url = "sqlite:onus.db"
[http]
listen = "127.0.0.1:19099"
[[source]]
name = "w1"
kind = "file"
path = "$home/w1.jsonl"
trust = "system"
partners = ["*"]
types = ["*"]
TOML
(cd "$home/live" && exec "$onus" run >talk 2>&1) &
for _ in $(seq 40); do
    sleep 0.5
    curl -s http://127.0.0.1:19099/metrics >"$home/out" || true
done
kill -TERM $!
wait $!
if [[ -n ${W1_PEERS:-} ]]; then
    for store in sqlite postgres; do
        python3 benches/live/live.py w1 $store --onus "$onus" --peers "$W1_PEERS"
    done
    python3 benches/live/exchange.py --judges 1 --onus "$onus" --peers "$W1_PEERS"
fi
"$tool" merge --sparse -o .cargo/onus.profdata "$home/counted"
ls -l .cargo/onus.profdata
