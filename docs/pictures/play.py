"""Plays the story to a real Onus and keeps what it shows, so that a real Prometheus has two weeks to answer from.

The story of examples/demo is sent over HTTP in steps of ten minutes of its own time, to an Onus whose clock is that of the
events. After each step its figures are read as Prometheus would read them. In the end they are moved in time, so that the
story's last instant is now, and handed to Prometheus as its past. Two things are added to the story, so that there is more
to see: targets, which its contracts do not have, and what is still open when it ends.
"""

import datetime
import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEP = datetime.timedelta(minutes=10)
TARGETS = {
    "halden-pam.yaml": [("    reopen: {policy: resume, window: 14 days}\n", "    target: {at-least: 90%, each: month}\n"),
                        ("    within: {P1: 15min, P2: 1h, P3: 4 business hours}\n", "    target: {at-least: 95%, each: month}\n")],
    "tidewater-soc.yaml": [],
    "brightkey.yaml": [("    until: {any: [credential.revoked, credential.expired]}\n", "    target: {at-least: 80%, each: month}\n")],
}
OPEN = [  # subject, type, partner, minutes before the end, data
    ("INC-2061", "ticket.opened", "halden-pam", 300, {"priority": "P1"}),
    ("INC-2061", "ticket.acknowledged", "halden-pam", 294, {"side": "partner"}),
    ("INC-2062", "ticket.opened", "halden-pam", 215, {"priority": "P1"}),
    ("INC-2062", "ticket.acknowledged", "halden-pam", 207, {"side": "partner"}),
    ("INC-2063", "ticket.opened", "halden-pam", 40, {"priority": "P2"}),
]


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def said(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def event(number, kind, subject, partner, when, data):
    return {"specversion": "1.0", "id": f"more-{number}", "source": "urn:desk:northwind", "type": kind, "time": said(when),
            "subject": subject, "partner": partner, "data": data}


def story():
    lines = [json.loads(line) for line in (ROOT / "examples/demo/events.jsonl").read_text().splitlines()]
    end = max(at(line["time"]) for line in lines)
    for number, (subject, kind, partner, ago, data) in enumerate(OPEN):
        lines.append(event(number, kind, subject, partner, end - datetime.timedelta(minutes=ago), data))
    latest, told = None, []
    for line in lines[: -len(OPEN)]:
        # Late news comes when the others have come: in the order of the file.
        latest = max(latest or at(line["time"]), at(line["time"]))
        told.append((latest, line))
    told += [(at(line["time"]), line) for line in lines[-len(OPEN):]]
    return sorted(told, key=lambda one: one[0]), end


def contracts(folder):
    folder.mkdir()
    for name, targets in TARGETS.items():
        text = (ROOT / "examples/demo/contracts" / name).read_text()
        for after, target in targets:
            assert after in text, (name, after)
            text = text.replace(after, after + target)
        (folder / name).write_text(text)


def onus(binary, folder, settings):
    contracts(folder / "contracts")
    port = free()
    (folder / "onus.toml").write_text(
        f'[contracts]\npaths = ["contracts"]\n[http]\nlisten = "127.0.0.1:{port}"\n{settings}')
    process = subprocess.Popen([binary, "run", "--config", folder / "onus.toml"], cwd=folder, stderr=open(folder / "log", "w"))
    for _ in range(200):
        try:
            if get(port, "/readyz")[0] == 200:
                return process, port
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit((folder / "log").read_text())


def get(port, path):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    link.request("GET", path)
    answer = link.getresponse()
    return answer.status, answer.read().decode()


def play(binary, folder):
    """(instant, page) after each step, and the story's end."""
    settings = ('[judge]\nclock = "events"\ncommit-every = "1ms"\n[[source]]\nname = "story"\nkind = "http"\ntoken-file = "token"\n'
                'trust = "verified"\npartners = ["*"]\ntypes = ["*"]\ntransit = "1s"\nheartbeat = "1h"\nmay-claim-time = true\n')
    (folder / "token").write_text("story")
    process, port = onus(binary, folder, settings)
    told, end = story()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    now, pages, number = told[0][0], [], 0
    began = time.time()
    try:
        while now <= end:
            batch = [line for when, line in told if now - STEP < when <= now]
            number += 1
            batch.append({"specversion": "1.0", "id": f"tick-{number}", "source": "urn:story", "type": "onus.tick", "time": said(now)})
            body = "".join(json.dumps(line) + "\n" for line in batch)
            link.request("POST", "/events", body, {"Authorization": "Bearer story", "Content-Type": "application/x-ndjson"})
            answer = link.getresponse()
            text = answer.read().decode()
            if answer.status != 202 or json.loads(text)["dead_letters"]:
                raise SystemExit(f"{answer.status} {text}")
            # Figures are shown a second after the last at the latest: the last step is waited for, the others are near enough.
            link.request("GET", "/metrics")
            pages.append((now, link.getresponse().read().decode()))
            if now == end:
                break
            # Some figures are looked up once a second.
            time.sleep(0.04)
            now = min(now + STEP, end)
        time.sleep(3)
        pages[-1] = (end, get(port, "/metrics")[1])
        print(f"{len(pages)} pages in {time.time() - began:.0f} s")
    finally:
        process.terminate()
        process.wait()
    return pages, end


SAMPLE = re.compile(r"^([a-z_:]+)(\{.*\})? (\S+)$")


def past(pages, end, file):
    """What Prometheus would have kept, moved so that the story ends now."""
    by = int(time.time()) - int(end.timestamp())
    series, kinds = {}, {}
    for when, page in pages:
        for line in page.splitlines():
            if line.startswith("# TYPE"):
                _, _, name, kind = line.split(" ")
                kinds[name] = kind
            found = SAMPLE.match(line)
            if not found:
                continue
            name, labels, value = found.groups()
            number = float(value)
            # Two are of the wall clock; all others are of the judge's.
            if name.endswith("_timestamp_seconds") and name != "onus_source_last_record_timestamp_seconds":
                number += by
            labels = (labels or "{}")[1:-1]
            labels = ",".join(filter(None, [labels, 'instance="story:9464"', 'job="onus"']))
            series.setdefault(name, {}).setdefault(labels, []).append((when.timestamp() + by, number))
    with open(file, "w") as out:
        for family, kind in kinds.items():
            ends = {"histogram": ["_bucket", "_count", "_sum"]}.get(kind, [""])
            bare = family[:-6] if kind == "counter" and family.endswith("_total") else family
            out.write(f"# TYPE {bare} {kind}\n")
            for end_of in ends:
                for labels, samples in series.get(family + end_of, {}).items():
                    for when, number in samples:
                        out.write(f"{family}{end_of}{{{labels}}} {number!r} {when:.3f}\n")
        out.write("# EOF\n")
    return by + end.timestamp()


def prometheus(folder, pages, end):
    """A Prometheus with that past: process, port, and the instant at which the story ends."""
    now = past(pages, end, folder / "past.om")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics", folder / "past.om", folder / "data"],
                   check=True, stdout=subprocess.DEVNULL)
    return serve(folder, "global: {}\n", ["--query.lookback-delta=20m", "--storage.tsdb.retention.time=10y"]) + (now,)


def serve(folder, config, more):
    port = free()
    (folder / "prometheus.yml").write_text(config)
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}", *more], stderr=open(folder / "prometheus.log", "w"))
    for _ in range(300):
        try:
            if get(port, "/-/ready")[0] == 200:
                return process, port
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit((folder / "prometheus.log").read_text())


def blind(binary, folder):
    """The same contracts under the wall clock, with a source that promised to speak and fell silent."""
    told, end = story()
    now = datetime.datetime.now(datetime.timezone.utc)
    weeks = (now - end) // datetime.timedelta(days=7) * datetime.timedelta(days=7)
    with open(folder / "events.jsonl", "w") as out:
        for _, line in told:
            out.write(json.dumps({**line, "time": said(at(line["time"]) + weeks)}) + "\n")
    tick = {"specversion": "1.0", "id": "t", "source": "urn:vault", "type": "onus.tick", "time": said(now)}
    (folder / "vault.jsonl").write_text(json.dumps(tick) + "\n")
    common = 'kind = "file"\nfollow = true\ntrust = "verified"\ntransit = "1s"\n'
    process, port = onus(binary, folder, (
        f'[[source]]\nname = "story"\npath = "events.jsonl"\n{common}partners = ["*"]\ntypes = ["*"]\nmay-claim-time = true\n'
        f'[[source]]\nname = "vault"\npath = "vault.jsonl"\n{common}partners = ["brightkey"]\ntypes = ["credential.*"]\n'
        'heartbeat = "1s"\n'))
    server, at_port = serve(folder, (
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        f"- {{job_name: onus, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"), [])
    time.sleep(25)
    return [process, server], at_port, time.time()


def clean(folder):
    shutil.rmtree(folder, ignore_errors=True)
