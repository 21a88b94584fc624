#!/usr/bin/env python3
"""Takes an operator's way from one process to an intake and three judges, under load, as docs/scale-out.md says it, and holds what comes of it
against one undisturbed process.

    scaleout.py --peers DIR

One process with SQLite reads a topic; it is stopped, its store divided by `onus store reshard`, an intake and a judge are started, then two more
judges; the topic is written to all the while. Compared are the last word on each duty with that of one process that reads the same topic, and
what receivers were told: each change of a duty once, each from the standing that was told before it. Exit code 1: something differs.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, threading, time
from collections import Counter
from pathlib import Path
from live import Postgres, digest, millis
from upgrade import Process, ledger, wait_for, words


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--onus", default=str(Path(__file__).resolve().parents[2] / "target" / "release" / "onus"))
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built: out/w1.jsonl, raw")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--partitions", type=int, default=12, help="of the exchange")
    p.add_argument("--rate", type=int, default=2_000, help="events a second")
    p.add_argument("--events", type=int, default=100_000)
    args = p.parse_args()
    args.onus = os.path.abspath(args.onus)
    topic, between = f"onus.scaleout.{os.getpid()}", f"onus.scaleout.{os.getpid()}.exchange"
    for name, partitions in ((topic, 8), (between, args.partitions)):
        subprocess.run([args.peers / "raw" / "target" / "release" / "raw", "reset", "--topic", name, "--partitions", str(partitions)],
                       env=dict(os.environ, W1_BROKERS=args.brokers), check=True, stdout=subprocess.DEVNULL)
    folder = Path(tempfile.mkdtemp(prefix="onus-scaleout-"))
    server, running, fed, sent = Postgres(), {}, threading.Event(), [0]
    try:
        source = f'[kafka.main]\nbrokers = ["{args.brokers}"]\n[[source]]\nname = "desk"\nkind = "kafka"\ncluster = "main"\ntopic = "{topic}"\ntrust = "system"\npartners = ["*"]\ntypes = ["*"]\n'
        shared = f'[store]\nurl = "{server.url}"\n[exchange]\ncluster = "main"\ntopic = "{between}"\npartitions = {args.partitions}\nlanes = 1\n{source}'
        judges = ["judge-1", "judge-2", "judge-3"]

        def start(name, role, settings):
            running[name] = Process(args.onus, folder / name, name, role, settings)
            return running[name]

        def feed():
            """Keyed by subject, so that what is said of one is in order."""
            into = subprocess.Popen(["kcat", "-P", "-b", args.brokers, "-t", topic, "-K", "\t", "-X", "linger.ms=5"], stdin=subprocess.PIPE, text=True)
            with open(args.peers / "out" / "w1.jsonl") as lines:
                each, began = max(1, args.rate // 20), time.time()
                while sent[0] < args.events:
                    for _, line in zip(range(min(each, args.events - sent[0])), lines):
                        into.stdin.write(f"{json.loads(line)['subject']}\t{line}")
                        sent[0] += 1
                    into.stdin.flush()
                    time.sleep(max(0.0, began + sent[0] / args.rate - time.time()))
            into.stdin.close()
            into.wait()
            fed.set()

        def shares():
            said = subprocess.run([args.onus, "shards", "list", "--format", "json"], cwd=running["judge-1"].home, capture_output=True, text=True)
            return {one["member"]: len(one["shards"]) for one in json.loads(said.stdout)["members"]} if said.returncode == 0 else {}

        threading.Thread(target=feed, daemon=True).start()
        one = start("one", "all", f'[store]\nurl = "sqlite:onus.db"\n{source}')
        time.sleep(args.events / args.rate / 4)
        one.end()
        old = ledger(args.onus, f"sqlite:{one.home}/onus.db")
        print(f"one process was stopped after {len(old)} entries; {sent[0]} events were sent", flush=True)

        # The intake's folder is made before it is started: the command wants its settings.
        home = folder / "intake"
        home.mkdir()
        shutil.copy(one.home / "w1.yaml", home)
        (home / "onus.toml").write_text(f'[contracts]\npaths = ["w1.yaml"]\n{shared}')
        began = time.time()
        divided = subprocess.run([args.onus, "store", "reshard", "--from", f"sqlite:{one.home}/onus.db", "--format", "json"], cwd=home, capture_output=True, text=True)
        if divided.returncode:
            raise SystemExit(f"onus store reshard: {divided.stdout}{divided.stderr}")
        print(f"divided in {time.time() - began:.1f} s:", divided.stdout.strip(), flush=True)

        start("intake", "intake", shared)
        start("judge-1", "judge", shared)
        wait_for("judge-1 has all", lambda: shares() == {"judge-1": args.partitions} and running["judge-1"].ready())
        print(f"an intake and one judge; {sent[0]} events were sent", flush=True)
        time.sleep(3)
        for name in judges[1:]:
            start(name, "judge", shared)
        even = {name: args.partitions // 3 for name in judges}
        wait_for("three judges share", lambda: shares() == even and all(running[name].ready() for name in judges))
        print(f"three judges share; {sent[0]} events were sent", flush=True)
        if fed.is_set():
            raise SystemExit("all was sent before three judges shared: say --events with a larger number")
        wait_for("all is sent", fed.is_set, args.events / args.rate * 3)

        # One process, which nobody disturbs.
        alone, theirs, since = start("alone", "all", f'[store]\nurl = "sqlite:onus.db"\n{source}'), {}, time.time()
        wait_for("one process is ready", alone.ready)
        while time.time() - since < 5 or not theirs:
            time.sleep(1)
            now = words(ledger(args.onus, f"sqlite:{alone.home}/onus.db"))
            if now != theirs:
                theirs, since = now, time.time()
        shards = lambda: [ledger(args.onus, server.url, shard) for shard in range(args.partitions)]
        entries = lambda all_of: [entry for entry in all_of if entry["record"] == "entry"]
        wait_for("the judges have decided as much", lambda: len(words(entries(sum(shards(), [])))) >= len(theirs), 60)
        time.sleep(3)
        for process in list(running.values()):
            if process.process.poll() is None:
                process.end()
        # The old ledger came along: it is the beginning of the new ones.
        new = entries(sum(shards(), []))
        ours, wrong = words(new), []
        differ = [duty for duty in ours.keys() | theirs.keys() if ours.get(duty) != theirs.get(duty)]
        if differ:
            wrong.append(f"{len(differ)} duties differ: {[(ours.get(duty), theirs.get(duty)) for duty in differ[:3]]}")
        # What receivers were told: by the one process first, then by judges. A page is a change of a duty.
        told = [[json.loads(line) for name in names for line in (folder / name / "told").read_text().splitlines()] for names in (["one"], judges)]
        change = lambda entry: (entry["duty"], entry["from"], entry["to"], entry["start"], entry["deadline"] or "", entry["at"])
        said, decided = Counter(map(change, told[0] + told[1])), Counter(map(change, new))
        again = sum((said - decided).values())
        # A judge that stood still beyond its lease (a machine that has too much to do) has told what the next owner tells again, under one identity.
        lost = sum(running[name].log.read_text().count("was not renewed in time") for name in judges)
        if decided - said or set(said) - set(decided) or again and not lost:
            wrong.append(f"told {len(told[0])} and {len(told[1])}, decided {len(new)}, told again {again}, leases lost {lost}")
        last, torn, pages = {}, [], 0
        for entry in new:
            if last.get(entry["duty"], entry["from"]) != entry["from"]:
                torn.append((last[entry["duty"]], entry))
            last[entry["duty"]] = entry["to"]
            pages += entry["to"] == "breached" != entry["from"]
        if torn:
            wrong.append(f"{len(torn)} changes do not begin where the one before ended: {torn[:2]}")
        verified = subprocess.run([args.onus, "store", "verify", "--store", server.url], capture_output=True, text=True)
        if verified.returncode:
            wrong.append(verified.stdout)
        sums = lambda all_of: digest([(w[1], w[0], w[2], millis(w[5]), millis(w[4])) for w in all_of.values() if w[7]])
        print(json.dumps({"events": args.events, "duties": len(ours), "entries": len(new), "told": [len(one) for one in told], "told_again": again, "leases_lost": lost, "changes_to_breached": pages,
                          "breaches": sum(1 for w in ours.values() if w[7]), "digest": sums(ours), "digest_of_one_process": sums(theirs), "wrong": wrong}))
        if wrong:
            sys.exit(1)
    except SystemExit as error:
        if isinstance(error.code, str):
            for process in running.values():
                print(f"--- {process.name}\n{process.log.read_text()[-1500:]}", file=sys.stderr)
        raise
    finally:
        for process in running.values():
            process.process.kill()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
