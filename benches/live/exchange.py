#!/usr/bin/env python3
"""Measures W1 through the exchange: one process alone, then an intake, then 1, 2 and 4 judges that share the same partitions.

    exchange.py --peers DIR                    one line of JSON a run, then the ratios
    exchange.py --peers DIR --events 8000000   the same with another draw of W1, so long that starting is little of it

All with PostgreSQL, a server of its own for each run, and by the wall clock: what is counted is CPU seconds per million events of
each process, from its start until all is written down, and of the server. The source's topic is filled beforehand, as for
live.py, or drawn and filled here; the exchange's is made here. Judges read what the intake wrote, so the number of judges is all that
differs. What judges cost that have nothing to judge is measured before each run: from their start until each has its share, and then
by the second.
"""
import argparse, json, os, shutil, signal, subprocess, tempfile, time
from pathlib import Path
from live import CONTRACT, Postgres, free_port, ticks, topic_source


class Process:
    """`onus run` in one role."""

    def __init__(self, args, folder, url, name, role, exchange):
        home = folder / name
        home.mkdir()
        shutil.copy(CONTRACT, home / "w1.yaml")
        section = f'[exchange]\ncluster = "main"\ntopic = "{exchange}"\npartitions = {args.shards}\n' if exchange else ""
        (home / "onus.toml").write_text(
            f'[contracts]\npaths = ["w1.yaml"]\n[judge]\nsettling = "{args.settling}"\n[store]\nurl = "{url}"\n[http]\nlisten = "127.0.0.1:{free_port()}"\n'
            f'[run]\nrole = "{role}"\nname = "{name}"\n{section}{topic_source(args, args.topic)}'
        )
        self.log = open(home / "log", "w")
        self.began = time.time()
        self.process = subprocess.Popen([args.onus, "run"], cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)

    def alive(self):
        return self.process.poll() is None

    def cpu(self):
        return ticks(self.process.pid)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def read_up_to(server, source):
    """Records that are noted as read, of all partitions in all shards."""
    return int(server.psql(f"SELECT coalesce(sum(next), 0) FROM source_position WHERE source = '{source}'").strip() or 0)


def start(args, judges, exchange, seconds=5):
    """CPU seconds of judges of an exchange in which nothing is: until each has its share, and of each second after that."""
    folder = Path(tempfile.mkdtemp(prefix="onus-exchange-"))
    server = Postgres()
    try:
        before = server.cpu()
        all_of = [Process(args, folder, server.url, f"judge-{i}", "judge", exchange) for i in range(judges)]
        end = time.time() + args.most
        # Where reading begins is written once a shard is taken and its partition is there.
        shares = "SELECT count(DISTINCT member) = {0} AND count(*) = {1} AND sum(giving) = 0 FROM lease JOIN source_position ON shard = unit AND source = '@exchange'"
        while True:
            time.sleep(0.2)
            if any(not one.alive() for one in all_of) or time.time() > end:
                raise SystemExit(f"{judges} judges: they ended, or did not come to their shares")
            try:
                if server.psql(shares.format(judges, args.shards)).strip() == "t":
                    break
            except (Exception, SystemExit):
                continue  # The schema is being made.
        time.sleep(1)
        begun, of_server = [one.cpu() for one in all_of], server.cpu() - before
        time.sleep(seconds)
        rest = sum(one.cpu() for one in all_of) - sum(begun)
        for one in all_of:
            one.end()
        return {"start_cpu_s": round(sum(begun), 2), "server_start_cpu_s": round(of_server, 2), "idle_cpu_s_per_s": round(rest / seconds, 3)}
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(args, what, roles, source, want, exchange, more=None):
    folder = Path(tempfile.mkdtemp(prefix="onus-exchange-"))
    server = Postgres()
    try:
        all_of = [Process(args, folder, server.url, f"{role}-{i}", role, exchange) for i, role in enumerate(roles)]
        began, end = time.time(), time.time() + args.most
        while True:
            time.sleep(0.2)
            if any(not one.alive() for one in all_of) or time.time() > end:
                raise SystemExit(f"{what}: it ended, or took too long\n" + "".join((folder / f"{r}-{i}" / "log").read_text()[-2000:] for i, r in enumerate(roles)))
            try:
                have = read_up_to(server, source)
            except (Exception, SystemExit):
                continue  # The schema is being made.
            if have >= want:
                break
        wall = time.time() - began
        cpu = [one.cpu() for one in all_of]
        done = {
            "run": what, "events": args.events, "wall_s": round(wall, 1), "cpu_s_per_m": round(sum(cpu) / args.events * 1e6, 2),
            "each_cpu_s": [round(one, 2) for one in cpu], "server_cpu_s_per_m": round(server.cpu() / args.events * 1e6, 2), **(more or {}),
        }
        for one in all_of:
            one.end()
        print(json.dumps(done), flush=True)
        return done
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def ends(args, topic, partitions):
    """How many records a topic holds, transactions' marks included."""
    asked = [f"{topic}:{p}:-1" for p in range(partitions)]
    said = subprocess.run(["kcat", "-b", args.brokers, "-Q", *sum((["-t", one] for one in asked), [])], capture_output=True, text=True, check=True)
    return sum(int(line.rsplit("offset", 1)[1]) for line in said.stdout.splitlines() if "offset" in line)


def drawn(args):
    """A topic with another draw of W1, as many events as wanted: as live.py's README has it filled, and gone afterwards."""
    file = Path(tempfile.mkdtemp(prefix="onus-exchange-", dir=args.dir)) / "w1.jsonl"
    try:
        gen = args.peers / "gen" / "target" / "release" / "gen"
        subprocess.run([gen, "--events", str(args.events), "--seed", str(args.seed), "--out", file, "--expect", file.with_suffix(".json")], check=True, stdout=subprocess.DEVNULL)
        args.topic = f"onus.events.{os.getpid()}"
        empty(args, args.topic, args.partitions)
        raw(args, "load", "--file", str(file), "--topic", args.topic)
    finally:
        shutil.rmtree(file.parent)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--onus", default=str(Path(__file__).resolve().parents[2] / "target" / "release" / "onus"))
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--topic", default="onus.events", help="filled beforehand")
    p.add_argument("--events", type=int, help="draw so many and fill a topic of its own: a million are 280 MB as a file, and as much in the broker")
    p.add_argument("--seed", type=int, default=2)
    p.add_argument("--dir", default=None, help="where what is drawn lies until it is in the topic")
    p.add_argument("--partitions", type=int, default=8)
    p.add_argument("--shards", type=int, default=4)
    p.add_argument("--judges", default="1,2,4")
    p.add_argument("--rounds", type=int, default=1, help="each number of judges so often, in turn: the least of each counts")
    p.add_argument("--settling", default="1000 days", help="the events are long past: nothing is to settle while it is read")
    p.add_argument("--most", type=int, default=300, help="seconds that a run may take")
    args = p.parse_args()
    args.onus = os.path.abspath(args.onus)
    exchange, own = f"onus.exchange.{os.getpid()}", args.events is not None
    try:
        if own:
            drawn(args)
        args.events = ends(args, args.topic, args.partitions)
        empty(args, exchange, args.shards)
        compare(args, exchange)
    finally:
        # Brokers keep what is in it for a week, and a run writes 300 MB for a million events.
        raw(args, "delete", "--topic", exchange)
        if own:
            raw(args, "delete", "--topic", args.topic)


def raw(args, *command):
    tool = args.peers / "raw" / "target" / "release" / "raw"
    subprocess.run([tool, *command], env=dict(os.environ, W1_BROKERS=args.brokers), check=True, stdout=subprocess.DEVNULL)


def empty(args, topic, partitions):
    raw(args, "reset", "--topic", topic, "--partitions", str(partitions))


def compare(args, exchange):
    numbers = list(map(int, args.judges.split(",")))
    starts = {judges: start(args, judges, exchange) for judges in numbers}
    alone = run(args, "alone", ["all"], "w1", args.events, None)
    intake = run(args, "intake", ["intake"], "w1", args.events, exchange)
    written = ends(args, exchange, args.shards)  # records, and each has many events
    least = {}
    for judges in numbers * args.rounds:
        what = "1 judge" if judges == 1 else f"{judges} judges"
        shared = run(args, what, ["judge"] * judges, "@exchange", written, exchange, starts[judges])
        least[judges] = min(least.get(judges, shared["cpu_s_per_m"]), shared["cpu_s_per_m"])
    for judges, cost in least.items():
        whole = intake["cpu_s_per_m"] + cost
        print(f"{judges} judges: {alone['cpu_s_per_m'] / whole:.2f} of one process's events per CPU second; {cost / least[numbers[0]]:.2f} of what {numbers[0]} cost")


if __name__ == "__main__":
    main()
