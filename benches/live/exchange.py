#!/usr/bin/env python3
"""Measures W1 through the exchange: one process alone, then an intake, then 1, 2 and 4 judges that share the same partitions.

    exchange.py --peers DIR        one line of JSON a run, then the ratios

All with PostgreSQL, a server of its own for each run, and by the wall clock: what is counted is CPU seconds per million events of
each process, from its start until all is written down, and of the server. The source's topic is filled beforehand, as for
live.py; the exchange's is made here. Judges read what the intake wrote, so the number of judges is all that differs.
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


def run(args, what, roles, source, want, exchange):
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
            "each_cpu_s": [round(one, 2) for one in cpu], "server_cpu_s_per_m": round(server.cpu() / args.events * 1e6, 2),
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--onus", default=str(Path(__file__).resolve().parents[2] / "target" / "release" / "onus"))
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--topic", default="onus.events")
    p.add_argument("--partitions", type=int, default=8)
    p.add_argument("--shards", type=int, default=4)
    p.add_argument("--judges", default="1,2,4")
    p.add_argument("--settling", default="1000 days", help="the events are long past: nothing is to settle while it is read")
    p.add_argument("--most", type=int, default=300, help="seconds that a run may take")
    args = p.parse_args()
    args.onus = os.path.abspath(args.onus)
    args.events = ends(args, args.topic, args.partitions)
    exchange = f"onus.exchange.{os.getpid()}"
    empty(args, exchange, args.shards)
    try:
        compare(args, exchange)
    finally:
        # Brokers keep what is in it for a week, and a run writes 600 MB.
        empty(args, exchange, 1)


def empty(args, topic, partitions):
    subprocess.run([args.peers / "raw" / "target" / "release" / "raw", "reset", "--topic", topic, "--partitions", str(partitions)],
                   env=dict(os.environ, W1_BROKERS=args.brokers), check=True, stdout=subprocess.DEVNULL)


def compare(args, exchange):
    alone = run(args, "alone", ["all"], "w1", args.events, None)
    intake = run(args, "intake", ["intake"], "w1", args.events, exchange)
    written = ends(args, exchange, args.shards)  # records, and each has many events
    for judges in map(int, args.judges.split(",")):
        shared = run(args, f"{judges} judges", ["judge"] * judges, "@exchange", written, exchange)
        whole = intake["cpu_s_per_m"] + shared["cpu_s_per_m"]
        print(f"{judges} judges: {alone['cpu_s_per_m'] / whole:.2f} of one process's events per CPU second")


if __name__ == "__main__":
    main()
