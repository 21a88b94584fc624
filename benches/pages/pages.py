#!/usr/bin/env python3
"""From a deadline to its page being accepted by a real Alertmanager. See README.md.

    pages.py spread [--onus BIN] [--number 1000] [--over 60]    deadlines spread over a time: p50, p99 and max of the delay
    pages.py burst  [--onus BIN] [--number 10000]               all at one instant, each a page of its own: how long until the last
"""
import argparse, json, os, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Fewer breaches of one partner within a minute than `alerting.mass`: each is a page of its own.
EACH = 10
CONTRACT = """contract: desk
partner: "p-*"
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
roles:
  customer.lead: mail:lead@acme.example
  partner.desk: tel:+49-30-1234
escalation:
  standard:
    - {at: breach, tell: [partner.desk, customer.lead]}
    - {at: 1h after, tell: customer.lead}
obligations:
  - id: answer
    clause: "4.2"
    when: ticket.opened
    do: ticket.acknowledged
    within: 1h
    obligor: partner.desk
    severity: page
    escalate: standard
"""
SETTINGS = """[contracts]
paths = ["contract.yaml"]
[http]
listen = "127.0.0.1:{http}"
[store]
url = "sqlite:onus.db"
[alerting]
deliveries = "deliveries.jsonl"
[alertmanager.one]
url = "http://127.0.0.1:{alertmanager}"
[[source]]
name = "desk"
kind = "file"
path = "desk.jsonl"
follow = true
trust = "verified"
partners = ["*"]
types = ["*"]
transit = "0s"
may-claim-time = true
"""
ROUTES = "route:\n  receiver: nobody\n  group_by: ['...']\nreceivers:\n- name: nobody\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def written(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def until(what, holds, seconds=60):
    end = time.time() + seconds
    while not holds():
        if time.time() > end:
            sys.exit(f"never: {what}")
        time.sleep(0.05)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def cpu(pid):
    """CPU seconds of a process."""
    part = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(n) for n in part[11:13]) / os.sysconf("SC_CLK_TCK")


def machine():
    """Jiffies: all, and idle."""
    part = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(part), part[3] + part[4]


def ledger(onus, folder):
    """By duty: when the frontier was heard beyond the deadline, as the entry has it that says so."""
    ask = [onus, "store", "ledger", "--store", "sqlite:onus.db", "--limit", "0", "--format", "json"]
    entries = json.loads(subprocess.run(ask, cwd=folder, capture_output=True, check=True).stdout)["entries"]
    return {entry["duty"]: read(entry["heard"]) for entry in entries if entry["to"] == "breached"}


def measure(onus, deadlines, folder):
    ports = {"http": free_port(), "alertmanager": free_port()}
    alertmanager = f"http://127.0.0.1:{ports['alertmanager']}"
    for name, text in {
        "contract.yaml": CONTRACT,
        "onus.toml": SETTINGS.format(**ports),
        "routes.yml": ROUTES,
    }.items():
        (folder / name).write_text(text)
    lines = []
    for i, due in enumerate(deadlines):
        lines.append(json.dumps({
            "specversion": "1.0", "id": f"o{i}", "source": "urn:desk", "type": "ticket.opened", "subject": f"T{i}",
            # Neighbours in time are of different partners.
            "partner": f"p-{i % -(-len(deadlines) // EACH)}", "time": written(due - 3600), "data": {},
        }))
    (folder / "desk.jsonl").write_text("\n".join(lines) + "\n")
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager") or sys.exit("no Alertmanager")
    log = open(folder / "log", "w")
    pager = subprocess.Popen([
        program, "--config.file=routes.yml", "--storage.path=data", f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
        "--cluster.listen-address=", "--log.level=warn",
    ], cwd=folder, stdout=log, stderr=log)
    judge = None
    try:
        until("Alertmanager listens", lambda: listens(ports["alertmanager"]))
        judge = subprocess.Popen([onus, "run", "--config", "onus.toml"], cwd=folder, stdout=log, stderr=log)
        until("it listens", lambda: listens(ports["http"]))
        gauge = lambda name: sum(
            float(line.rsplit(" ", 1)[1])
            for line in get(f"http://127.0.0.1:{ports['http']}/metrics").decode().splitlines() if line.startswith(name)
        )
        until("all tickets are known", lambda: gauge('onus_source_events_total{source="desk",result="taken"}') >= len(deadlines))
        if time.time() > min(deadlines):
            sys.exit("the first deadline passed before all tickets were known: lay them later (--ahead)")
        while time.time() < min(deadlines):
            time.sleep(0.01)
        at, spent = machine(), [cpu(judge.pid), cpu(pager.pid)]
        accepted = folder / "deliveries.jsonl"

        def told():
            firing = (json.loads(line) for line in accepted.read_text().splitlines(True) if line.endswith("\n"))
            return {d["alert"]: read(d["at"]) for d in firing if d["state"] == "firing" and ", " not in d["alert"]}

        # Read seldom: whoever measures uses the machine, too.
        until("all pages are accepted", lambda: time.sleep(0.5) or len(told()) >= len(deadlines), 600)
        now, spent = machine(), [cpu(p.pid) - before for p, before in zip((judge, pager), spent)]
        busy = 1 - (now[1] - at[1]) / max(1, now[0] - at[0])
        # What Alertmanager itself has is what counts, and says which duty is which ticket.
        alerts = json.loads(get(f"{alertmanager}/api/v2/alerts"))
        alerts = [a for a in alerts if a["labels"]["alertname"] == "OnusDutyBreached"]
        if len(alerts) != len(deadlines):
            sys.exit(f"Alertmanager has {len(alerts)} of {len(deadlines)} alerts")
        late, after, times, heard = [], [], told(), ledger(onus, folder)
        for alert in alerts:
            due = deadlines[int(alert["labels"]["subject"][1:])]
            if abs(read(alert["startsAt"]) - due) > 0.001:
                sys.exit(f"{alert} does not start at {written(due)}")
            duty = alert["labels"]["duty"]
            late.append(times[duty] - due)
            after.append(times[duty] - heard[duty])
        return sorted(late), sorted(after), busy, spent
    finally:
        for process in filter(None, (judge, pager)):
            process.send_signal(signal.SIGTERM)
        for process in filter(None, (judge, pager)):
            process.wait(30)
        log.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["spread", "burst"])
    parser.add_argument("--onus", default=str(HERE.parent.parent / "target/release/onus"))
    parser.add_argument("--number", type=int)
    parser.add_argument("--over", type=float, default=60, help="seconds over which deadlines are spread")
    parser.add_argument("--ahead", type=float, default=15, help="seconds from now to the first deadline")
    parser.add_argument("--keep", action="store_true", help="keep the folder with log and store")
    args = parser.parse_args()
    number = args.number or (1_000 if args.what == "spread" else 10_000)
    first = round(time.time() + args.ahead, 3)
    over = args.over if args.what == "spread" else 0
    deadlines = [round(first + over * i / number, 3) for i in range(number)]
    folder = Path(tempfile.mkdtemp(prefix="onus-pages-"))
    try:
        late, after, busy, (judge, pager) = measure(str(Path(args.onus).resolve()), deadlines, folder)
    finally:
        print(folder) if args.keep else shutil.rmtree(folder, ignore_errors=True)
    print(f"{args.what}: {number} pages accepted")
    for what, times in [("from the deadline", late), ("from when the frontier was heard beyond it", after)]:
        at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
        print(f"  {what}: first {times[0]:.2f} s, p50 {at(0.5):.2f} s, p99 {at(0.99):.2f} s, max {times[-1]:.2f} s")
    print(f"  CPU of onus {judge:.1f} s, of Alertmanager {pager:.1f} s; machine {100 * busy:.0f} % busy")


if __name__ == "__main__":
    main()
