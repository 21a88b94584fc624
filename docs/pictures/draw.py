#!/usr/bin/env python3
"""Draws the boards of dashboards/ from their JSON and the answers of a real Prometheus, as pictures for the docs.

This is no Grafana: it knows the few kinds of panels, units, thresholds and mappings that these boards use. It needs
prometheus, promtool and chromium (apt), and a built Onus:

    docs/pictures/draw.py target/debug/onus
"""

import html
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import play

PAGE = 1500
CELL = PAGE / 24
LINE = 30
COLOURS = {"purple": "#8a3fb3", "red": "#cf3f36", "orange": "#d97a12", "green": "#2f8a3b", "text": "#3b4048", "blue": "#2463b8"}
PALETTE = ["#2463b8", "#d97a12", "#2f8a3b", "#8a6d3b", "#20808d", "#b0407a", "#6b7280", "#9aa53a", "#4b4fa8", "#c2562a"]
STYLE = """
body { margin: 0; background: #f2f3f5; font: 13px/1.35 'DejaVu Sans', sans-serif; color: #22262b; }
h1 { font-size: 20px; margin: 12px 12px 2px; } .note { margin: 0 12px 6px; color: #5b626b; font-size: 12px; }
#grid { position: relative; } .p { position: absolute; background: #fff; border: 1px solid #d9dce0; border-radius: 4px;
box-sizing: border-box; overflow: hidden; } .p h3 { font-size: 13px; margin: 5px 8px 3px; } .row { position: absolute;
font-weight: bold; font-size: 14px; padding: 4px 10px; box-sizing: border-box; } .stat { display: flex; position: absolute;
inset: 28px 0 0 0; } .stat div { flex: 1; display: flex; flex-direction: column; align-items: center;
justify-content: center; color: #fff; font-weight: bold; text-align: center; padding: 0 6px; } .stat small { font-size: 12px;
font-weight: normal; } table { border-collapse: collapse; width: 100%; font-size: 12.5px; } th { text-align: left;
color: #4d5560; padding: 3px 8px; border-bottom: 1px solid #c9ced4; } td { padding: 3px 8px; border-bottom: 1px solid
#eceef0; } .text { padding: 2px 10px; font-size: 13px; line-height: 1.5; } .none { position: absolute; inset: 28px 0 0 0;
display: flex; align-items: center; justify-content: center; color: #6b7280; text-align: center; } .bar { display: flex;
align-items: center; margin: 4px 8px; font-size: 12.5px; } .bar span { width: 42%; } .bar i { display: block; height: 14px; }
.bar u { flex: 1; text-decoration: none; } .bar b { width: 84px; text-align: right; }
"""


class Prometheus:
    def __init__(self, port, now):
        self.port, self.now = port, now

    def ask(self, path, **values):
        status, text = play.get(self.port, f"/api/v1/{path}?" + urllib.parse.urlencode(values))
        answer = json.loads(text)
        if status != 200:
            raise SystemExit(f"{values}: {answer}")
        return answer["data"]

    def instant(self, expr):
        found = self.ask("query", query=expr, time=self.now)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def over(self, expr, seconds):
        step = max(1, seconds // 420)
        found = self.ask("query_range", query=expr, start=self.now - seconds, end=self.now, step=step)["result"]
        return [(one["metric"], [(t, float(v)) for t, v in one["values"]]) for one in found], step


def human(value, unit):
    if unit == "s":
        sign, rest = ("-", -value) if value < 0 else ("", value)
        for size, word in [(86400, "d"), (3600, "h"), (60, "min")]:
            if rest >= size:
                return f"{sign}{rest / size:.3g} {word}"
        return f"{sign}{rest:.3g} s"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "ops":
        return f"{value:.3g}/s"
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


def colour(value, steps):
    found = steps[0]["color"]
    for step in steps[1:]:
        if value >= step["value"]:
            found = step["color"]
    return found


def shown(value, settings):
    """The word and the colour of a value."""
    for one in settings["mappings"]:
        options = one["options"]
        if one["type"] == "value" and human(value, "short") in options:
            found = options[human(value, "short")]
            return found["text"], found["color"]
        if one["type"] == "range" and options["from"] <= value <= options["to"]:
            return options["result"]["text"], options["result"]["color"]
        if one["type"] == "special" and math.isnan(value):
            return options["result"]["text"], options["result"]["color"]
    return human(value, settings["unit"]), colour(value, settings["thresholds"]["steps"])


def settings_of(panel, name):
    """The panel's defaults, with what is said of this series or column."""
    found = dict(panel["fieldConfig"]["defaults"])
    fixed = own = None
    for one in panel["fieldConfig"]["overrides"]:
        if one["matcher"]["options"] == name:
            for item in one["properties"]:
                if item["id"] in ("unit", "thresholds", "mappings"):
                    found[item["id"]] = item["value"]
                    own = own or item["id"] != "unit"
                elif item["id"] == "color":
                    fixed = item["value"]["fixedColor"]
    return found, fixed, own


def legend(target, labels):
    text = target["legendFormat"]
    return re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m.group(1), ""), text)


def nothing(panel):
    return f'<div class="none">{html.escape(panel["fieldConfig"]["defaults"]["noValue"])}</div>'


def stat(panel, prometheus, fill):
    boxes = []
    for target in panel["targets"]:
        answers = prometheus.instant(fill(target["expr"])) or [({}, math.nan)]
        for labels, value in answers:
            name = legend(target, labels)
            settings, _, _ = settings_of(panel, name)
            missing = math.isnan(value)
            text, tone = (settings["noValue"], "purple") if missing else shown(value, settings)
            plain = tone == "text"
            style = f"background:{'#e9ebee' if plain else COLOURS[tone]};color:{'#22262b' if plain else '#fff'}"
            size = 34 if len(text) < 8 else 18
            small = f"<small>{html.escape(name)}</small>" if len(panel["targets"]) > 1 or len(answers) > 1 else ""
            boxes.append(f'<div style="{style}">{small}<span style="font-size:{size}px">{html.escape(text)}</span></div>')
    return f'<div class="stat">{"".join(boxes)}</div>'


def table(panel, prometheus, fill):
    frames = [(t, prometheus.instant(fill(t["expr"]))) for t in panel["targets"]]
    frames = [(t, [(labels, v) for labels, v in rows if not math.isnan(v)]) for t, rows in frames]
    filled = [rows for _, rows in frames if rows]
    if not filled:
        return nothing(panel)
    keys = set.intersection(*[set.union(*[set(labels) for labels, _ in rows]) for rows in filled])
    lines = {}
    for target, rows in frames:
        for labels, value in rows:
            key = tuple(labels.get(k, "") for k in sorted(keys))
            line = lines.setdefault(key, {"labels": {}, "values": {}})
            line["labels"].update(labels)
            line["values"][target["legendFormat"]] = value
    names = panel["transformations"][1]["options"]["renameByName"]
    order = [k for k in ("partner", "obligation", "kind", "control", "clause", "source", "receiver", "version", "instance")
             if any(k in line["labels"] for line in lines.values())]
    columns = [t["legendFormat"] for t, _ in frames if t["legendFormat"]]
    rows = list(lines.values())
    for sort in panel["options"]["sortBy"]:
        worst = -math.inf if sort["desc"] else math.inf
        rows.sort(key=lambda line: line["values"].get(sort["displayName"], worst), reverse=sort["desc"])
    out = "".join(f"<th>{html.escape(names.get(k, k))}</th>" for k in order) + "".join(f"<th>{c}</th>" for c in columns)
    out = f"<tr>{out}</tr>"
    for line in rows[: int(panel["gridPos"]["h"] * LINE / 25) - 2]:
        cells = "".join(f"<td>{html.escape(line['labels'].get(k, ''))}</td>" for k in order)
        for column in columns:
            settings, _, own = settings_of(panel, column)
            if column not in line["values"]:
                cells += f'<td style="color:#8b929a">{html.escape(settings["noValue"][:2])}</td>'
                continue
            text, tone = shown(line["values"][column], settings)
            style = f' style="background:{COLOURS[tone]};color:#fff"' if own and tone != "text" else ""
            cells += f"<td{style}>{html.escape(text)}</td>"
        out += f"<tr>{cells}</tr>"
    return f"<table>{out}</table>"


def bars(panel, prometheus, fill):
    found = []
    for target in panel["targets"]:
        for labels, value in prometheus.instant(fill(target["expr"])):
            if not math.isnan(value):
                found.append((legend(target, labels), value))
    if not found:
        return nothing(panel)
    most = max(max(abs(v) for _, v in found), 1e-9)
    low = min(0, *[v for _, v in found])
    span = most - low if low < 0 else most
    out = ""
    for name, value in found:
        settings, fixed, _ = settings_of(panel, name)
        text, tone = shown(value, settings)
        left = (min(value, 0) - low) / span * 100
        bar = f'<i style="margin-left:{left:.1f}%;width:{max(abs(value) / span * 100, 0.8):.1f}%;background:{COLOURS[fixed or tone]}"></i>'
        out += f'<div class="bar"><span>{html.escape(name)}</span><u>{bar}</u><b>{html.escape(text)}</b></div>'
    return out


def curves(panel, prometheus, fill, seconds):
    stacked = panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    lines = []
    for target in panel["targets"]:
        answers, step = prometheus.over(fill(target["expr"]), seconds)
        for labels, samples in answers:
            samples = [(t, v) for t, v in samples if not math.isnan(v)]
            if samples:
                lines.append((legend(target, labels), samples))
    if not lines:
        return nothing(panel)
    width, height = panel["gridPos"]["w"] * CELL - 14, panel["gridPos"]["h"] * LINE - 74
    left, unit = 58, panel["fieldConfig"]["defaults"]["unit"]
    start, base = prometheus.now - seconds, {}
    drawn, most, low = [], 0, 0
    for number, (name, samples) in enumerate(lines):
        points = []
        for t, v in samples:
            under = base.get(t, 0) if stacked else 0
            base[t] = under + v
            points.append((t, under, under + v if stacked else v))
            most, low = max(most, points[-1][2]), min(low, points[-1][2])
        _, fixed, _ = settings_of(panel, name)
        drawn.append((name, points, COLOURS[fixed] if fixed else PALETTE[number % len(PALETTE)]))
    if unit == "short":
        most = max(4, math.ceil(most / 4) * 4)
    elif unit == "percentunit":
        most = max(most, 1)
    else:
        most = most * 1.08 or 1
    x = lambda t: left + (t - start) / seconds * (width - left - 8)
    y = lambda v: 6 + (most - v) / (most - low) * (height - 12)
    svg = ""
    for k in range(5):
        v = low + (most - low) * k / 4
        svg += f'<line x1="{left}" x2="{width - 8}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#e4e7ea"/>'
        svg += f'<text x="{left - 6}" y="{y(v) + 4:.1f}" text-anchor="end" font-size="11" fill="#5b626b">{human(v, unit)}</text>'
    for k in range(5):
        ago = seconds * (4 - k) / 4
        word = "now" if ago == 0 else f"-{human(ago, 's')}"
        svg += f'<text x="{x(prometheus.now - ago):.0f}" y="{height + 12:.0f}" text-anchor="{"end" if ago == 0 else "middle" if k else "start"}" font-size="11" fill="#5b626b">{word}</text>'
    for name, points, tone in drawn:
        top, bottom = [], []
        for at, (t, under, over) in enumerate(points):
            if at and t - points[at - 1][0] <= step * 1.5:
                top.append((x(t), y(points[at - 1][2])))
                bottom.append((x(t), y(points[at - 1][1])))
            top.append((x(t), y(over)))
            bottom.append((x(t), y(under)))
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in top)
        if stacked:
            if max(p[2] - p[1] for p in points) > 0:
                back = " ".join(f"{a:.1f},{b:.1f}" for a, b in reversed(bottom))
                svg += f'<polygon points="{path} {back}" fill="{tone}" fill-opacity="0.72"/>'
        else:
            svg += f'<polyline points="{path}" fill="none" stroke="{tone}" stroke-width="2"/>'
    names = "".join(f'<span style="margin-right:12px"><span style="color:{tone}">&#9632;</span> {html.escape(name)}</span>'
                    for name, _, tone in drawn)
    return (f'<svg width="{width:.0f}" height="{height + 18:.0f}">{svg}</svg>'
            f'<div style="margin:0 8px;font-size:11.5px;white-space:nowrap">{names}</div>')


def draw(board, prometheus, choices, note, seconds=None):
    number, unit = re.match(r"now-(\d+)([hd])", board["time"]["from"]).groups()
    seconds = seconds or int(number) * {"h": 3600, "d": 86400}[unit]

    def fill(expr):
        for name, value in {**choices, "__rate_interval": "30m"}.items():
            expr = expr.replace(f"${name}", value)
        return expr

    out, depth = "", 0
    for panel in board["panels"]:
        grid = panel["gridPos"]
        place = (f'left:{grid["x"] * CELL + 3:.0f}px;top:{grid["y"] * LINE + 3}px;'
                 f'width:{grid["w"] * CELL - 6:.0f}px;height:{grid["h"] * LINE - 6}px')
        depth = max(depth, (grid["y"] + grid["h"]) * LINE)
        if panel["type"] == "row":
            out += f'<div class="row" style="{place}">{html.escape(panel["title"])}</div>'
            continue
        if panel["type"] == "text":
            text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(panel["options"]["content"]))
            text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
            body = f'<div class="text">{text}</div>'
        elif panel["type"] == "timeseries":
            body = curves(panel, prometheus, fill, seconds)
        else:
            body = {"stat": stat, "table": table, "bargauge": bars}[panel["type"]](panel, prometheus, fill)
        out += f'<div class="p" style="{place}"><h3>{html.escape(panel["title"])}</h3>{body}</div>'
    head = f'<h1>{html.escape(board["title"])}</h1><p class="note">{html.escape(note)}</p>'
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{head}<div id="grid">{out}</div>', depth + 70


def picture(page, depth, file, folder):
    (folder / "page.html").write_text(page)
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/chromium",
                    f"--window-size={PAGE},{depth}", f"--screenshot={folder}/page.png", f"file://{folder}/page.html"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    (folder / "page.png").replace(file)
    print(f"{file.name}: {file.stat().st_size // 1024} kB")


def choices(board, prometheus):
    found = {"job": "onus", "partner": ".+", "obligation": ".+"}
    for one in board["templating"]["list"]:
        if one["name"] == "partner" and not one["multi"]:
            found["partner"] = "halden-pam"
        if one.get("regex"):
            fits = re.compile(one["regex"].strip("/i"), re.I)
            names = {labels["obligation"] for labels, _ in prometheus.instant('onus_obligation_info{job="onus"}')}
            found["obligation"] = "|".join(name for name in sorted(names) if fits.search(name))
    return found


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    here = pathlib.Path(__file__).resolve().parent
    boards = [json.loads(file.read_text()) for file in sorted((here / "../../dashboards").glob("onus-*.json"))]
    running = []
    with tempfile.TemporaryDirectory(prefix="onus-pictures-") as name:
        folder = pathlib.Path(name)
        try:
            pages, end = play.play(binary, folder)
            process, port, now = play.prometheus(folder, pages, end)
            running.append(process)
            prometheus = Prometheus(port, now)
            note = ("The story of examples/demo, moved so that it ends now. A real Onus judged it, a real Prometheus answered; "
                    "drawn by docs/pictures/draw.py, not by Grafana.")
            for board in [one for one in boards if one["uid"] != "onus-operations"]:
                page, depth = draw(board, prometheus, choices(board, prometheus), note)
                picture(page, depth, here / f"{board['uid']}.png", folder)
            (folder / "blind").mkdir()
            more, port, now = play.blind(binary, folder / "blind")
            running += more
            note = ("The same while the vault, which promised to speak every second, is silent: nothing can be said of brightkey. "
                    "Drawn by docs/pictures/draw.py, not by Grafana.")
            prometheus = Prometheus(port, now)
            for uid, file in [("onus-leadership", "onus-leadership-blind.png"), ("onus-operations", "onus-operations.png")]:
                board = next(one for one in boards if one["uid"] == uid)
                page, depth = draw(board, prometheus, choices(board, prometheus), note, 60)
                picture(page, depth, here / file, folder)
        finally:
            for process in running:
                process.terminate()
                process.wait()


main()
