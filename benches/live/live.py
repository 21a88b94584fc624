#!/usr/bin/env python3
"""Measures `onus run` on W1 in Kafka, beside other engines. See README.md.

    live.py w1 sqlite|postgres        one run, one JSON line, as the peers' run.sh
    live.py latency sqlite|postgres   one run, one JSON line, as the peers' latency.sh
    live.py restart sqlite|postgres   restart with millions of live subjects
    live.py compare                   peers and Onus in turn, in rounds, then a table of medians
"""
import argparse, bisect, json, os, pwd, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time
import urllib.request
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent / "examples" / "w1" / "w1.yaml"
TICK = os.sysconf("SC_CLK_TCK")
WRITTEN = re.compile(r"^(\S+)\s+DEBUG .*\bwritten commit=(\d+) events=(\d+) entries=(\d+) writing_ms=(\S+)(?: oldest_ms=(\S+))?")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ticks(pid, children=False):
    """CPU seconds of a process, and of the children that it has waited for."""
    try:
        part = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(n) for n in part[11:15 if children else 13]) / TICK


class Postgres:
    """A server of our own, as durable as it comes; it may not run as root."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="onus-live-pg-"))
        self.port = free_port()
        self.user = {}
        if os.getuid() == 0:
            for name in ("postgres", "nobody"):
                try:
                    entry = pwd.getpwnam(name)
                except KeyError:
                    continue
                self.user = {"user": entry.pw_uid, "group": entry.pw_gid}
                os.chown(self.folder, entry.pw_uid, entry.pw_gid)
                break
        data = str(self.folder / "data")
        self.tool("initdb", "-D", data, "-U", "onus", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c max_wal_size=4GB"
        self.tool("pg_ctl", "-D", data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")
        self.pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        self.psql("CREATE DATABASE live", "postgres")
        self.url = f"postgres://onus@127.0.0.1:{self.port}/live"

    def tool(self, *args):
        done = subprocess.run(args, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, **self.user)
        if done.returncode:
            sys.exit(f"{args[0]}: {done.stderr or done.stdout}")
        return done.stdout

    def psql(self, sql, database="live"):
        return self.tool("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "onus", "-d", database, "-Atc", sql)

    def cpu(self):
        below = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True).stdout.split()
        return ticks(self.pid, children=True) + sum(ticks(pid) for pid in below)

    def stop(self):
        self.tool("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Sqlite:
    def __init__(self, folder):
        self.path = folder / "onus.db"
        self.url = f"sqlite:{self.path}"

    def cpu(self):
        return 0.0

    def stop(self):
        pass


def millis(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def broken(args, store):
    """Each duty that broke, once: rule, partner, subject, deadline, start."""
    seen = {}
    command = [args.onus, "store", "ledger", "--store", store.url, "--limit", "0", "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            entry = json.loads(line)
            if entry["broken"]:
                at = millis(entry["deadline"]), millis(entry["start"])
                seen.setdefault(entry["duty"], (entry["obligation"], entry["partner"], entry["subject"], *at))
    return seen.values()


def digest(breaches):
    total = 0
    for rule, partner, subject, at, started in breaches:
        h = 0xCBF29CE484222325
        for byte in f"{rule}|{partner}|{subject}|{at}|{started}".encode():
            h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        total = (total + h) & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


class Run:
    """`onus run`, and what it says while it runs."""

    def __init__(self, args, folder, store, source, stdin=None, judge=""):
        self.port = free_port()
        (folder / "contracts").mkdir(exist_ok=True)
        shutil.copy(CONTRACT, folder / "contracts" / "w1.yaml")
        (folder / "onus.toml").write_text(
            f'[store]\nurl = "{store.url}"\n[judge]\nclock = "events"\n{judge}\n[http]\nlisten = "127.0.0.1:{self.port}"\n{source}'
        )
        command = [args.onus, "run"] + (["--until-end"] if stdin else [])
        env = dict(os.environ, ONUS_LOG="info,onus::runtime::live=debug", NO_COLOR="1")
        self.began = time.time()
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.lines, self.commits = [], []
        self.ready = None
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            line = re.sub(r"\x1b\[[0-9;]*m", "", line)
            found = WRITTEN.match(line)
            if found:
                at = datetime.fromisoformat(found[1].replace("Z", "+00:00")).timestamp()
                self.commits.append((at, int(found[3]), int(found[4]), float(found[5]), found[6] and float(found[6].strip("Some()"))))
            else:
                self.lines.append(line)
                if "judged up to the last commit" in line:
                    self.ready = time.time()

    def events(self):
        return sum(commit[1] for commit in self.commits)

    def until(self, what, done, seconds=600):
        end = time.time() + seconds
        while not done():
            if self.process.poll() is not None or time.time() > end:
                sys.exit(f"onus run: {what} did not come\n{''.join(self.lines[-20:])}")
            time.sleep(0.05)

    def duties(self):
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics").read().decode()
        found = {}
        told = r'onus_(?:duties|verdicts)\{.*obligation="(\w+)",standing="([\w-]+)"\} (\d+)'
        for rule, standing, count in re.findall(told, page):
            found.setdefault(rule, {}).setdefault(standing, 0)
            found[rule][standing] += int(count)
        return found

    def end(self):
        """Stops it; CPU seconds of its whole life, its largest memory in MiB, and MiB written to disk."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, usage.ru_oublock // 2048


def topic_source(args, topic):
    return (
        f'[kafka.main]\nbrokers = ["{args.brokers}"]\n[[source]]\nname = "w1"\nkind = "kafka"\ncluster = "main"\n'
        f'topic = "{topic}"\ntrust = "system"\npartners = ["*"]\ntypes = ["*"]\n'
    )


def broker_pid(args):
    found = subprocess.run(["ss", "-Hltnp", f"sport = :{args.brokers.rsplit(':', 1)[1]}"], capture_output=True, text=True)
    pid = re.search(r"pid=(\d+)", found.stdout)
    return pid[1] if pid else 0


def busy():
    cpu = Path("/proc/stat").read_text().split("\n")[0].split()
    return sum(int(cpu[i]) for i in (1, 2, 3, 6, 7)) / TICK


def open_store(kind, folder):
    return Postgres() if kind == "postgres" else Sqlite(folder)


def w1(args, kind):
    expect = json.loads((args.peers / "out" / "w1.expect.json").read_text())
    want = expect["events"] + args.partitions
    folder = Path(tempfile.mkdtemp(prefix="onus-live-", dir=args.dir))
    store = open_store(kind, folder)
    try:
        broker = broker_pid(args)
        before = ticks(broker), busy(), store.cpu()
        run = Run(args, folder, store, topic_source(args, args.topic), judge=args.judge)
        run.until(f"all {want} records", lambda: run.events() >= want)
        time.sleep(2.5)
        duties = run.duties()
        cpu, rss, written = run.end()
        after = ticks(broker), busy(), store.cpu()
        effective = [c for c in run.commits if c[1] or c[2]]
        first = effective[0][0] - (effective[0][4] or 0) / 1e3
        wall = effective[-1][0] - first
        breaches = list(broken(args, store))
        ok = digest(breaches) == expect["digest"] and len(breaches) == expect["breaches"]
        if not ok:
            print(f"breaches: {len(breaches)}, {digest(breaches)}; expected {expect['breaches']}, {expect['digest']}", file=sys.stderr)
        for rule, totals in expect["totals"].items():
            seen = duties.get(rule, {})
            if seen.get("met", 0) != totals["met"] or seen.get("open", 0) + seen.get("paused", 0) != totals["open"]:
                print(f"{rule}: {seen}; expected {totals}", file=sys.stderr)
            ok &= seen.get("met", 0) == totals["met"]
            ok &= seen.get("open", 0) + seen.get("paused", 0) == totals["open"]
        writing = sorted(c[3] for c in effective)
        size = store.path.stat().st_size if kind == "sqlite" else int(store.psql("SELECT pg_database_size('live')"))
        return {
            "peer": "onus", "mode": kind, "events": want, "wall_s": round(wall, 3), "events_per_s": round(want / wall),
            "cpu_s": round(cpu, 2), "cpu_s_per_m": round(cpu / want * 1e6, 2), "peak_rss_mib": rss, "totals_ok": ok,
            "server_cpu_s": round(after[2] - before[2], 2), "broker_cpu_s": round(after[0] - before[0], 2),
            "other_cpu_s": round(after[1] - before[1] - cpu - (after[0] - before[0]) - (after[2] - before[2]), 2),
            "commits": len(effective), "entries": sum(c[2] for c in effective),
            "writing_ms_p50": round(writing[len(writing) // 2], 1), "writing_ms_p99": round(writing[len(writing) * 99 // 100], 1),
            "store_mib": size >> 20, "written_mib": written,
        }
    finally:
        store.stop()
        shutil.rmtree(folder, ignore_errors=True)


def to_commit(args, topic, store, commits):
    """Of each S4 finding, milliseconds from when its event was produced (by the producer's own stamp on the record) to when the
    commit that holds it had been written, as the process says it."""
    produced = {}
    command = ["kcat", "-b", args.brokers, "-C", "-t", topic, "-e", "-q", "-f", "%T %s\\n"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            if '"change.executed"' in line:
                at, event = line.split(" ", 1)
                produced[json.loads(event)["subject"]] = int(at)
    written, last = [], 0
    for at, _, entries, _, _ in commits:
        last += entries
        written.append((last, at * 1e3))
    found = []
    command = [args.onus, "store", "ledger", "--store", store.url, "--limit", "0", "--format", "jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            entry = json.loads(line)
            if entry["obligation"] == "S4" and entry["broken"] and entry["subject"] in produced:
                at = written[bisect.bisect_left(written, (entry["number"], 0))][1]
                found.append((produced[entry["subject"]], at - produced[entry["subject"]]))
    begin = min(at for at, _ in found) + args.warm * 1000
    return sorted(took for at, took in found if at >= begin)


def latency(args, kind):
    """As latency.sh: breaches are told on a topic, and the peers' own tool reads them there."""
    raw = args.peers / "raw" / "target" / "release" / "raw"
    into, out = args.topic + ".lat", "onus.breaches.lat"
    for topic in (into, out):
        subprocess.run([raw, "reset", "--brokers", args.brokers, "--topic", topic], check=True, stdout=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="onus-live-", dir=args.dir))
    store = open_store(kind, folder)
    try:
        told = f'[breaches]\ncluster = "main"\ntopic = "{out}"\n'
        run = Run(args, folder, store, told + topic_source(args, into), judge=args.judge)
        time.sleep(5)
        before = Path("/proc/stat").read_text().split("\n")[0].split()
        line = subprocess.run(
            [raw, "latency", "--brokers", args.brokers, "--topic", into, "--out", out, "--rate", str(args.rate),
             "--file", args.peers / "out" / "lat.jsonl", "--warm-s", str(args.warm), "--drain-s", "5"],
            check=True, capture_output=True, text=True).stdout
        cpu = ticks(run.process.pid)
        after = Path("/proc/stat").read_text().split("\n")[0].split()
        spent = [int(b) - int(a) for a, b in zip(before[1:], after[1:])]
        run.end()
        waits = sorted(c[4] for c in run.commits if c[4])
        took = to_commit(args, into, store, run.commits)
        found = {"peer": "onus", "mode": kind} | json.loads(line)
        found |= {"engine_cpu_s": round(cpu, 2), "machine_idle": round(spent[3] / sum(spent), 3), "commits": len(run.commits)}
        found |= {f"to_commit_ms_p{p}": round(took[(len(took) - 1) * p // 100], 1) for p in (50, 90, 99)} | {"to_commit_samples": len(took)}
        found |= {"taken_to_written_ms_p50": round(waits[len(waits) // 2], 1), "taken_to_written_ms_p99": round(waits[len(waits) * 99 // 100], 1)}
        return found
    finally:
        store.stop()
        shutil.rmtree(folder, ignore_errors=True)


STDIN = '[[source]]\nname = "w1"\nkind = "stdin"\ntrust = "system"\npartners = ["*"]\ntypes = ["*"]\n'


def feed(pipe, first, last, kind):
    """Tickets that stay open: two duties each."""
    step = 20_000
    for start in range(first, last, step):
        lines = []
        for n in range(start, min(start + step, last)):
            ms = n % 60_000 if kind == "opened" else 60_000 + n % 30_000
            lines.append(
                f'{{"specversion":"1.0","id":"{kind}-{n:09}","source":"urn:desk:p{n % 200:04}","type":"ticket.{kind}","time":"2026-03-02T09:0{ms // 60000}:'
                f'{ms // 1000 % 60:02}.{ms % 1000:03}Z","subject":"INC{n:08}","partner":"p{n % 200:04}","datacontenttype":"application/json",'
                f'"data":{{"priority":"P3","control":"none","credential":"svc-{n % 100000:06}","actor":"a","summary":"text that no rule reads"}}}}\n'
            )
        pipe.write("".join(lines).encode())
    pipe.close()


def restart(args, kind):
    folder = Path(tempfile.mkdtemp(prefix="onus-live-", dir=args.dir))
    store = open_store(kind, folder)
    try:
        # Fill it, and end with a snapshot.
        filler = Run(args, folder, store, STDIN, stdin=subprocess.PIPE)
        raw = filler.process.stdin.buffer
        feed(raw, 0, args.subjects, "opened")
        filler.process.wait(1800)
        # A tail of journal that no snapshot has: killed before it takes one.
        tail = Run(args, folder, store, STDIN, stdin=subprocess.PIPE)
        pipe = tail.process.stdin.buffer
        dup = os.fdopen(os.dup(pipe.fileno()), "wb")
        feed(pipe, 0, args.tail, "resumed")
        tail.until("the tail", lambda: tail.events() >= args.tail)
        tail.process.kill()
        tail.process.wait()
        dup.close()
        found = []
        for _ in range(args.rounds):
            again = Run(args, folder, store, STDIN, stdin=subprocess.PIPE)
            dup = os.fdopen(os.dup(again.process.stdin.fileno()), "wb")
            again.until("a start", lambda: again.ready)
            seconds = again.ready - again.began
            cpu = ticks(again.process.pid)
            again.process.kill()
            _, _, usage = os.wait4(again.process.pid, 0)
            again.process.returncode = 0
            dup.close()
            found.append((seconds, cpu, usage.ru_maxrss // 1024))
        return {"peer": "onus", "mode": kind, "subjects": args.subjects, "tail": args.tail,
                "restart_s": [round(f[0], 2) for f in found], "cpu_s": [round(f[1], 2) for f in found], "peak_rss_mib": max(f[2] for f in found)}
    finally:
        store.stop()
        shutil.rmtree(folder, ignore_errors=True)


def compare(args):
    """Each in turn, in rounds: what drifts, drifts for all."""
    rows = []
    turns = args.turns.split(",")
    for number in range(args.rounds):
        for turn in turns:
            name, mode = turn.split("/")
            if name == "onus":
                row = w1(args, mode)
            else:
                done = subprocess.run(["./run.sh", name, mode], cwd=args.peers, capture_output=True, text=True, env=dict(os.environ, W1_BROKERS=args.brokers))
                if not done.stdout.strip():
                    print(done.stderr, file=sys.stderr)
                    continue
                row = json.loads(done.stdout)
            row["round"] = number + 1
            rows.append(row)
            print(json.dumps(row), flush=True)
    if args.latency:
        for turn in ("kafka-streams/eos-mem", "onus/sqlite", "onus/postgres"):
            name, mode = turn.split("/")
            if name == "onus":
                row = latency(args, mode)
            else:
                env = dict(os.environ, W1_BROKERS=args.brokers, W1_WARM_S=str(args.warm))
                done = subprocess.run(["./latency.sh", name, mode, str(args.rate)], cwd=args.peers, capture_output=True, text=True, env=env)
                row = json.loads(done.stdout) if done.stdout.strip() else {"peer": name, "mode": mode, "error": done.stderr[-500:]}
            print(json.dumps(row), flush=True)
    base = next((t for t in turns if t.startswith("flink")), turns[0]).split("/")
    med = lambda t, k: statistics.median([r.get(k) or 0 for r in rows if [r["peer"], r["mode"]] == t] or [0])
    print("\n| engine | events/s | against Flink | CPU s per million | of Flink's | server's CPU s per million | peak MiB | totals |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    for turn in turns:
        t = turn.split("/")
        mine = [r for r in rows if [r["peer"], r["mode"]] == t]
        if not mine:
            continue
        # Of each round its own ratio: neighbours in time.
        ratio = lambda k: statistics.median([r[k] / b[k] for r in mine for b in rows if b["round"] == r["round"] and [b["peer"], b["mode"]] == base] or [0])
        server = med(t, "server_cpu_s") / (med(t, "events") or 1) * 1e6
        print(f"| {t[0]}, {t[1]} | {med(t, 'events_per_s'):,.0f} | {ratio('events_per_s'):.2f} | {med(t, 'cpu_s_per_m'):.1f} | {ratio('cpu_s_per_m'):.2f} "
              f"| {server:.1f} | {med(t, 'peak_rss_mib'):.0f} | {'right' if all(r['totals_ok'] for r in mine) else 'WRONG'} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["w1", "latency", "restart", "compare"])
    p.add_argument("store", nargs="?", default="sqlite", choices=["sqlite", "postgres"])
    p.add_argument("--onus", default=str(HERE.parent.parent / "target" / "release" / "onus"))
    p.add_argument("--peers", type=Path, default=Path(os.environ.get("W1_PEERS", "peers")), help="folder of the peers, built")
    p.add_argument("--brokers", default=os.environ.get("W1_BROKERS", "127.0.0.1:19092"))
    p.add_argument("--topic", default="onus.events")
    p.add_argument("--partitions", type=int, default=8)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--turns", default="flink/eos-heap,onus/sqlite,kafka-streams/eos-mem,onus/postgres")
    p.add_argument("--latency", action="store_true", help="compare: latency, too")
    p.add_argument("--rate", type=int, default=20_000)
    p.add_argument("--warm", type=int, default=15)
    p.add_argument("--subjects", type=int, default=5_000_000)
    p.add_argument("--tail", type=int, default=200_000)
    p.add_argument("--judge", default="", help="more lines for [judge]")
    p.add_argument("--dir", help="where stores lie [default: the system's temporary folder]")
    args = p.parse_args()
    args.onus = os.path.abspath(args.onus)
    args.peers = args.peers.resolve()
    if args.what == "compare":
        return compare(args)
    print(json.dumps({"w1": w1, "latency": latency, "restart": restart}[args.what](args, args.store)))


if __name__ == "__main__":
    main()
