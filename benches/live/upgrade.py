#!/usr/bin/env python3
"""Rolls an intake and three judges from an older program to this one, under load, and holds what comes of it against one undisturbed process.

    upgrade.py --old BIN --peers DIR [--judges-first]

The order is that of docs/scale-out.md: the intake, then each judge (drained, ended, started anew, ready); judges first where the changelog says
that the form of the exchange's records has changed. Compared are the last word on each
duty of all shards' ledgers with that of one process of the new version on the same file, what was told (each identity once, and nothing
that is not in a ledger), and the journals' own check. Exit code 1: something differs.
"""
import argparse, json, os, re, shutil, signal, subprocess, sys, tempfile, threading, time
import urllib.error, urllib.request
from pathlib import Path
from live import CONTRACT, Postgres, digest, free_port, millis

# What takes a word back, or says that there is none, says no more than silence: it hangs on when what was heard.
SILENT = {"withdrawn", "open", "paused", "unknown"}


def wait_for(what, so, seconds=90):
    end = time.time() + seconds
    while True:
        try:
            found = so()
        except (OSError, TypeError, AttributeError):
            found = None
        if found:
            return found
        if time.time() > end:
            raise SystemExit(f"{what}: never came")
        time.sleep(0.05)


class Process:
    """`onus run` of some version, in a role."""

    def __init__(self, binary, home, name, role, settings):
        self.home, self.name = home, name
        home.mkdir(exist_ok=True)
        shutil.copy(CONTRACT, home / "w1.yaml")
        (home / "onus.toml").write_text(f'[contracts]\npaths = ["w1.yaml"]\n[http]\nlisten = "127.0.0.1:{free_port()}"\n[run]\nrole = "{role}"\nname = "{name}"\n{settings}')
        self.log = home / f"log-{time.time_ns()}"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([binary, "run"] + (["--tell", "told"] if role != "intake" else []), cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=log, env=dict(os.environ, NO_COLOR="1"))

    def ready(self):
        found = re.search(r"listening on http://(\S+)", self.log.read_text())
        try:
            return found and urllib.request.urlopen(f"http://{found[1]}/readyz").status == 200
        except urllib.error.HTTPError:
            return False

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60):
            raise SystemExit(f"{self.name} did not end in peace:\n{self.log.read_text()[-2000:]}")


def ledger(binary, store, shard=None):
    command = [binary, "store", "ledger", "--store", store, "--limit", "0", "--format", "jsonl"] + (["--shard", str(shard)] if shard is not None else [])
    return [json.loads(line) for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]


def words(entries):
    """The last word on each duty."""
    keys = ("partner", "obligation", "subject", "to", "start", "deadline", "ended_at", "broken", "excused", "disputed")
    last = {entry["duty"]: tuple(entry[key] for key in keys) for entry in entries}
    return {duty: word for duty, word in last.items() if word[3] not in SILENT}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--old", required=True, help="the older program")
    p.add_argument("--onus", default=str(Path(__file__).resolve().parents[2] / "target" / "release" / "onus"), help="the newer one")
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built: out/w1.jsonl, raw")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--judges-first", action="store_true")
    p.add_argument("--partitions", type=int, default=6)
    p.add_argument("--rate", type=int, default=2_000, help="events a second")
    p.add_argument("--events", type=int, default=100_000)
    args = p.parse_args()
    args.old, args.onus = os.path.abspath(args.old), os.path.abspath(args.onus)
    topic = f"onus.upgrade.{os.getpid()}"
    subprocess.run([args.peers / "raw" / "target" / "release" / "raw", "reset", "--topic", topic, "--partitions", str(args.partitions)],
                   env=dict(os.environ, W1_BROKERS=args.brokers), check=True, stdout=subprocess.DEVNULL)
    folder = Path(tempfile.mkdtemp(prefix="onus-upgrade-"))
    server, running, fed = Postgres(), {}, threading.Event()
    try:
        source = f'[[source]]\nname = "desk"\nkind = "file"\npath = "{folder}/desk.jsonl"\nfollow = true\ntrust = "system"\npartners = ["*"]\ntypes = ["*"]\n'
        shared = f'[store]\nurl = "{server.url}"\n[kafka.main]\nbrokers = ["{args.brokers}"]\n[exchange]\ncluster = "main"\ntopic = "{topic}"\npartitions = {args.partitions}\n{source}'
        judges = ["judge-1", "judge-2", "judge-3"]

        def start(binary, name, role):
            running[name] = Process(binary, folder / name, name, role, shared)

        def feed():
            with open(args.peers / "out" / "w1.jsonl") as lines, open(folder / "desk.jsonl", "a") as desk:
                each = max(1, args.rate // 20)
                for first in range(0, args.events, each):
                    desk.writelines(line for _, line in zip(range(min(each, args.events - first)), lines))
                    desk.flush()
                    time.sleep(0.05)
            fed.set()

        def listed():
            said = subprocess.run([args.onus, "shards", "list", "--format", "json"], cwd=running["judge-1"].home, capture_output=True, text=True)
            return json.loads(said.stdout) if said.returncode == 0 else {"members": [], "shards": []}

        def shares():
            return {one["member"]: len(one["shards"]) for one in listed()["members"]}

        (folder / "desk.jsonl").touch()
        start(args.old, "intake", "intake")
        wait_for("the older intake is ready", lambda: running["intake"].ready())
        for name in judges:
            start(args.old, name, "judge")
        even = {name: args.partitions // 3 for name in judges}
        wait_for("the older judges share", lambda: shares() == even)
        print("three judges and an intake of the older version:", json.dumps([[m["member"], m["version"], m["schema"]] for m in listed()["members"]]), flush=True)
        threading.Thread(target=feed, daemon=True).start()
        time.sleep(5)

        def intake():
            running["intake"].end()
            start(args.onus, "intake", "intake")
            wait_for("the newer intake is ready", lambda: running["intake"].ready())
            print("the intake is of the newer version", flush=True)

        if not args.judges_first:
            intake()
        for name in judges:
            beside = running["judge-1"].home
            subprocess.run([args.onus, "shards", "drain", name], cwd=beside, check=True, stdout=subprocess.DEVNULL)
            wait_for(f"{name} owns nothing", lambda: shares().get(name) == 0)
            running[name].end()
            start(args.onus, name, "judge")
            wait_for(f"{name} is ready and has its share", lambda: running[name].ready() and shares() == even)
            print(name, "is of the newer version:", json.dumps([[m["member"], m["version"], m["schema"]] for m in listed()["members"]]), flush=True)
        if args.judges_first:
            intake()
        if fed.is_set():
            raise SystemExit("all was fed before the last of them was changed: say --events with a larger number")
        wait_for("all is fed", fed.is_set, args.events / args.rate * 3)

        # One process, which nobody disturbs.
        alone = Process(args.onus, folder / "alone", "alone", "all", f'[store]\nurl = "sqlite:onus.db"\n{source}')
        running["alone"] = alone
        theirs, since = {}, time.time()
        while time.time() - since < 5 or not theirs:
            time.sleep(1)
            now = words(ledger(args.onus, f"sqlite:{alone.home}/onus.db"))
            if now != theirs:
                theirs, since = now, time.time()
        everything = lambda: [ledger(args.onus, server.url, shard) for shard in range(args.partitions)]
        wait_for("the judges have decided as much", lambda: len(words(sum(everything(), []))) >= len(theirs), 60)
        time.sleep(3)
        for one in list(running.values()):
            one.end()
        shards = everything()
        entries = sum(shards, [])
        ours, wrong = words(entries), []
        differ = [duty for duty in ours.keys() | theirs.keys() if ours.get(duty) != theirs.get(duty)]
        if differ:
            wrong.append(f"{len(differ)} duties differ: {[(ours.get(duty), theirs.get(duty)) for duty in differ[:3]]}")
        identity = lambda entry: (entry["duty"], entry["to"], entry["start"], entry["number"])
        told = [identity(json.loads(line)) for name in judges for line in (folder / name / "told").read_text().splitlines()]
        decided = {identity(entry) for entry in entries}
        if len(told) != len(set(told)) or set(told) != decided:
            wrong.append(f"told {len(told)}, of these different {len(set(told))}; decided {len(decided)}")
        verified = subprocess.run([args.onus, "store", "verify", "--store", server.url], capture_output=True, text=True)
        if verified.returncode:
            wrong.append(verified.stdout)
        sums = lambda all_of: digest([(w[1], w[0], w[2], millis(w[5]), millis(w[4])) for w in all_of.values() if w[7]])
        print(json.dumps({"events": args.events, "duties": len(ours), "entries": len(entries), "told": len(told), "breaches": sum(1 for w in ours.values() if w[7]),
                          "digest": sums(ours), "digest_of_one_process": sums(theirs), "wrong": wrong}))
        if wrong:
            sys.exit(1)
    except SystemExit as error:
        if isinstance(error.code, str):
            for one in running.values():
                print(f"--- {one.name}\n{one.log.read_text()[-1500:]}", file=sys.stderr)
        raise
    finally:
        for one in running.values():
            one.process.kill()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
