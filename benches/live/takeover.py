#!/usr/bin/env python3
"""Measures how long a shard with many live subjects is without a judge when its owner is killed.

    takeover.py --peers DIR        one line of JSON a round

An intake reads tickets that stay open, from a file, into an exchange of one partition; a judge owns the shard, a second one waits.
The owner is killed (SIGKILL) while more events come; then the second is. Each round tells, in seconds from the kill:

    lease       the database gives the shard to the other judge: by `[run] lease`, 3 s
    restored    from there on, until all is judged up to the last commit: snapshot and journal
    serving     from there on, until the first commit of the new owner
    gone        all of it: from the kill to the first commit

`--snapshot`: the state was written before (as every `judge.snapshot-every`), and `--tail` events came after it. Without, the owner
has never written one, and the whole journal is judged again: the worst case.
"""
import argparse, json, os, re, shutil, signal, subprocess, tempfile, threading, time
import urllib.request
from datetime import datetime, timezone
from pathlib import Path
from live import CONTRACT, Postgres, free_port, ticks
from upgrade import wait_for

TAKEN = re.compile(r"^(\S+)\s+INFO .*judged up to the last commit")
WRITTEN = re.compile(r"^(\S+)\s+DEBUG .*\bwritten commit=")


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def tickets(first, last, kind, at):
    """Tickets that stay open, two duties each, since a moment ago."""
    lines = []
    for n in range(first, last):
        moment = datetime.fromtimestamp(at + n % 60_000 / 1e3, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(
            f'{{"specversion":"1.0","id":"{kind}-{n:09}","source":"urn:desk:p{n % 200:04}","type":"ticket.{kind}","time":"{moment}",'
            f'"subject":"INC{n:08}","partner":"p{n % 200:04}","datacontenttype":"application/json",'
            f'"data":{{"priority":"P3","control":"none","credential":"svc-{n % 100000:06}","actor":"a","summary":"text that no rule reads"}}}}\n'
        )
    return "".join(lines)


class Process:
    def __init__(self, args, folder, url, name, role, exchange):
        self.home, self.port, self.began = folder / name, free_port(), time.time()
        self.home.mkdir(exist_ok=True)
        shutil.copy(CONTRACT, self.home / "w1.yaml")
        (self.home / "onus.toml").write_text(
            f'[contracts]\npaths = ["w1.yaml"]\n[store]\nurl = "{url}"\n[http]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[kafka.main]\nbrokers = ["{args.brokers}"]\n[exchange]\ncluster = "main"\ntopic = "{exchange}"\npartitions = 1\n'
            f'[run]\nrole = "{role}"\nname = "{name}"\nlease = "{args.lease}"\n'
            f'[[source]]\nname = "desk"\nkind = "file"\npath = "{folder}/desk.jsonl"\nfollow = true\ntrust = "system"\npartners = ["*"]\ntypes = ["*"]\n'
        )
        self.log = open(self.home / "log", "a")
        env = dict(os.environ, ONUS_LOG="info,onus::runtime::live=debug", NO_COLOR="1")
        self.process = subprocess.Popen([args.onus, "run"], cwd=self.home, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)

    def said(self, pattern, since):
        """When it first said so, after an instant."""
        for line in (self.home / "log").read_text().splitlines():
            found = pattern.match(re.sub(r"\x1b\[[0-9;]*m", "", line))
            if found and instant(found[1]) > since:
                return instant(found[1])

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--onus", default=str(Path(__file__).resolve().parents[2] / "target" / "release" / "onus"))
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--subjects", type=int, default=500_000)
    p.add_argument("--tail", type=int, default=50_000)
    p.add_argument("--snapshot", action="store_true")
    p.add_argument("--lease", default="3s")
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    args.onus = os.path.abspath(args.onus)
    exchange = f"onus.takeover.{os.getpid()}"
    subprocess.run([args.peers / "raw" / "target" / "release" / "raw", "reset", "--topic", exchange, "--partitions", "1"],
                   env=dict(os.environ, W1_BROKERS=args.brokers), check=True, stdout=subprocess.DEVNULL)
    folder = Path(tempfile.mkdtemp(prefix="onus-takeover-"))
    server, running, stop = Postgres(), [], threading.Event()
    try:
        at, desk = time.time() - 120, open(folder / "desk.jsonl", "a")
        start = lambda name, role="judge": running.append(Process(args, folder, server.url, name, role, exchange)) or running[-1]
        start("intake", "intake")
        owner = start("judge-0")
        asked = lambda sql: int(server.psql(sql).strip() or 0)
        subjects = lambda one: int(next((line.rsplit(" ", 1)[1] for line in page(one).splitlines() if line.startswith("onus_subjects{")), "0"))

        def page(one):
            return urllib.request.urlopen(f"http://127.0.0.1:{one.port}/metrics").read().decode()

        def read():
            """The intake has noted all of the file; the judge is not far behind it."""
            return asked("SELECT next FROM onus.source_position WHERE source = 'desk' AND shard = 65535") == os.path.getsize(folder / "desk.jsonl")

        for first in range(0, args.subjects, 20_000):
            desk.write(tickets(first, min(first + 20_000, args.subjects), "opened", at))
        desk.flush()
        wait_for("all are live", lambda: subjects(owner) >= args.subjects, 600)
        if args.snapshot:
            owner.end(signal.SIGTERM)
            running.remove(owner)
            owner = start("judge-0")
            wait_for("it goes on", lambda: owner.said(TAKEN, owner.began), 60)
            desk.write(tickets(0, args.tail, "resumed", at + 60))
            desk.flush()
            wait_for("the tail is read", read, 60)
            time.sleep(5)

        def trickle():
            n = 0
            while not stop.wait(0.05):
                desk.write(tickets(args.subjects + n, args.subjects + n + 5, "opened", time.time() - 1))
                desk.flush()
                n += 5

        threading.Thread(target=trickle, daemon=True).start()
        for number in range(1, args.rounds + 1):
            other = start(f"judge-{number}")
            wait_for("the other one is there", lambda: asked("SELECT count(*) FROM onus.member") == 2, 30)
            time.sleep(3)
            # Of the journal so much is behind the last snapshot.
            behind = asked("SELECT sum(length(j.bytes)) FROM onus.journal j JOIN onus.shard s ON s.shard = j.shard WHERE s.shard = 0 AND j.sequence > s.snapshot")
            live, killed = subjects(owner), time.time()
            owner.process.kill()
            wait_for("the other one commits", lambda: (since := other.said(TAKEN, killed)) and other.said(WRITTEN, since), 120)
            taken, restored = asked("SELECT taken FROM onus.lease WHERE unit = 0") / 1e3, other.said(TAKEN, killed)
            first = other.said(WRITTEN, restored)
            owner.process.wait()
            running.remove(owner)
            print(json.dumps({"subjects": live, "journal_mib_behind_snapshot": round(behind / 2**20, 1), "lease_s": round(taken - killed, 2),
                              "restored_s": round(restored - taken, 2), "serving_s": round(first - restored, 2), "gone_s": round(first - killed, 2),
                              "cpu_s_of_the_new_owner": round(ticks(other.process.pid), 2)}), flush=True)
            owner = other
    finally:
        stop.set()
        for one in running:
            one.process.kill()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
