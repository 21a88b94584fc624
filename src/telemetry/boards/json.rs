//! From a typed board to Grafana's classic schema: `id: null`, a stable uid, the data source a variable everywhere, and
//! nothing that only an export has (`__inputs`, `__requires`).

use super::{Board, Colour, Column, Kind, Panel, Say, Target, Variable};
use serde_json::{Value, json};

/// Of the classic schema; later Grafanas migrate it themselves.
const SCHEMA: u32 = 39;

pub(super) fn board(board: &Board, runbooks: &str) -> Value {
    let mut panels = Vec::new();
    let (mut id, mut y) = (1, 0);
    for row in &board.rows {
        panels.push(json!({
            "type": "row", "id": id, "title": row.title, "collapsed": false, "panels": [],
            "gridPos": {"h": 1, "w": 24, "x": 0, "y": y},
        }));
        (id, y) = (id + 1, y + 1);
        let (mut x, mut line) = (0, 0);
        for panel in &row.panels {
            if x + panel.width > 24 {
                (x, y, line) = (0, y + u32::from(line), 0);
            }
            panels.push(self::panel(panel, id, [x.into(), y], runbooks));
            (id, x, line) = (id + 1, x + panel.width, line.max(panel.height));
        }
        y += u32::from(line);
    }
    json!({
        "id": null,
        "uid": board.uid,
        "title": board.title,
        "description": board.words,
        "tags": ["onus"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": false,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": board.from, "to": "now"},
        "timezone": "browser",
        "links": [{
            "type": "dashboards", "title": "Onus", "tags": ["onus"], "asDropdown": true, "includeVars": true,
            "keepTime": true, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
        }],
        "annotations": {"list": [{
            "name": "Alerts",
            "datasource": source(),
            "enable": true,
            "hide": false,
            "iconColor": "red",
            "expr": alerts(board),
            "step": "60s",
            "titleFormat": "{{alertname}}",
            "textFormat": "{{partner}} {{obligation}}",
            "tagKeys": "severity",
        }]},
        "templating": {"list": variables(board)},
        "panels": panels,
    })
}

/// What is firing is marked on every curve.
fn alerts(board: &Board) -> String {
    let chosen = board.variables.iter().any(|one| one.name == "partner");
    let partner = if chosen { ",partner=~\"$partner|none\"" } else { "" };
    format!("ALERTS{{alertname=~\"Onus.+\",alertname!=\"OnusWatchdog\",alertstate=\"firing\"{partner}}}")
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn variables(board: &Board) -> Vec<Value> {
    let job =
        Variable { name: "job", label: "Job", query: "label_values(onus_build_info, job)", regex: "", multi: true };
    let mut all = vec![json!({
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "regex": "",
        "hide": 0, "multi": false, "includeAll": false, "refresh": 1, "options": [], "current": {},
    })];
    all.extend(std::iter::once(&job).chain(&board.variables).map(variable));
    all
}

fn variable(one: &Variable) -> Value {
    let all = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    json!({
        "type": "query",
        "name": one.name,
        "label": one.label,
        "datasource": source(),
        "definition": one.query,
        "query": {"query": one.query, "refId": "variable"},
        "regex": one.regex,
        "hide": 0,
        // When the time changes: partners come and go.
        "refresh": 2,
        "sort": 1,
        "multi": one.multi,
        "includeAll": one.multi,
        // Where only some values fit, all means all of those.
        "allValue": if one.multi && one.regex.is_empty() { json!(".+") } else { Value::Null },
        "current": if one.multi { all } else { json!({}) },
        "options": [],
    })
}

fn panel(panel: &Panel, id: u32, [x, y]: [u32; 2], runbooks: &str) -> Value {
    let links: Vec<Value> = panel.runbooks.iter().map(|name| link(name, runbooks)).collect();
    let mut value = json!({
        "type": kind(panel.kind),
        "id": id,
        "title": panel.title,
        "description": panel.words,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "links": links,
        "options": options(panel),
    });
    if panel.kind == Kind::Text {
        return value;
    }
    value["datasource"] = source();
    value["fieldConfig"] = fields(panel);
    let over_time = matches!(panel.kind, Kind::Lines | Kind::Stack);
    let letter = |number: usize| char::from(b'A' + u8::try_from(number).unwrap_or(25)).to_string();
    let target = |(number, target): (usize, &Target)| {
        json!({
            "refId": letter(number),
            "datasource": source(),
            "expr": target.expr,
            "legendFormat": target.legend,
            "editorMode": "code",
            "format": if panel.kind == Kind::Table { "table" } else { "time_series" },
            "instant": !over_time,
            "range": over_time,
        })
    };
    value["targets"] = panel.targets.iter().enumerate().map(target).collect();
    if panel.kind == Kind::Table {
        let names = panel.targets.iter().enumerate();
        let single = panel.targets.len() == 1;
        let called = |(n, target): (usize, &Target)| {
            (if single { "Value".to_owned() } else { format!("Value #{}", letter(n)) }, json!(target.legend))
        };
        let mut rename: serde_json::Map<String, Value> = names.map(called).collect();
        for (label, word) in [
            ("partner", "Partner"),
            ("obligation", "Obligation"),
            ("kind", "Kind"),
            ("control", "Control"),
            ("source", "Source"),
            ("receiver", "Receiver"),
            ("clause", "Clause"),
            ("version", "Version"),
            ("instance", "Process"),
        ] {
            rename.insert(label.to_owned(), json!(word));
        }
        // What has no name is asked for its labels only.
        let mut unnamed = serde_json::Map::from_iter([("Time".to_owned(), json!(true))]);
        for (number, _) in panel.targets.iter().enumerate().filter(|(_, target)| target.legend.is_empty()) {
            let value = format!("Value #{}", letter(number));
            rename.remove(&value);
            unnamed.insert(value, json!(true));
        }
        value["transformations"] = json!([
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": unnamed, "indexByName": {}, "renameByName": rename}},
        ]);
    }
    value
}

fn link(name: &str, runbooks: &str) -> Value {
    json!({"title": format!("Runbook: {name}"), "url": format!("{runbooks}{name}.md"), "targetBlank": true})
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stat => "stat",
        Kind::Table => "table",
        Kind::Bars => "bargauge",
        Kind::Lines | Kind::Stack => "timeseries",
        Kind::Text => "text",
    }
}

fn options(panel: &Panel) -> Value {
    let last = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    match panel.kind {
        Kind::Stat => json!({
            "colorMode": "background", "graphMode": "none", "justifyMode": "center", "orientation": "auto",
            "reduceOptions": last, "textMode": if panel.targets.len() > 1 { "value_and_name" } else { "value" },
            "wideLayout": true,
        }),
        Kind::Bars => json!({
            "displayMode": "basic", "orientation": "horizontal", "reduceOptions": last, "showUnfilled": true,
            "valueMode": "color", "namePlacement": "auto",
        }),
        Kind::Lines | Kind::Stack => json!({
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        Kind::Table => {
            let by = panel.sorted.map(|(column, down)| json!({"displayName": column, "desc": down}));
            json!({"showHeader": true, "cellHeight": "sm", "sortBy": by.into_iter().collect::<Vec<_>>()})
        }
        Kind::Text => json!({"mode": "markdown", "content": panel.words}),
    }
}

fn fields(panel: &Panel) -> Value {
    let steps = self::steps(&panel.steps);
    let mode = if matches!(panel.kind, Kind::Lines | Kind::Stack) { "palette-classic" } else { "thresholds" };
    let custom = match panel.kind {
        Kind::Lines => json!({
            "drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 2, "fillOpacity": 0, "spanNulls": false,
            "showPoints": "never", "stacking": {"mode": "none", "group": "A"},
        }),
        Kind::Stack => json!({
            "drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 1, "fillOpacity": 70, "spanNulls": false,
            "showPoints": "never", "stacking": {"mode": "normal", "group": "A"},
        }),
        Kind::Table => json!({"align": "auto", "cellOptions": {"type": "auto"}}),
        Kind::Stat | Kind::Bars | Kind::Text => json!({}),
    };
    json!({
        "defaults": {
            "unit": panel.unit,
            "noValue": panel.nothing,
            "color": {"mode": mode},
            "thresholds": {"mode": "absolute", "steps": steps},
            "mappings": mappings(&panel.says, panel.nothing),
            "custom": custom,
        },
        "overrides": panel.columns.iter().map(|column| override_of(panel, column)).collect::<Vec<_>>(),
    })
}

fn steps(steps: &[(Option<f64>, Colour)]) -> Value {
    steps.iter().map(|(from, colour)| json!({"value": from, "color": colour.name()})).collect()
}

/// The last one is of what is no number: it is not known.
fn mappings(says: &[Say], nothing: &str) -> Value {
    let mut all: Vec<Value> = says
        .iter()
        .map(|say| match *say {
            Say::Value(value, text, colour) => json!({
                "type": "value",
                "options": {(value.to_string()): {"text": text, "color": colour.name(), "index": 0}},
            }),
            Say::Range(from, to, text, colour) => json!({
                "type": "range",
                "options": {"from": from, "to": to, "result": {"text": text, "color": colour.name(), "index": 0}},
            }),
        })
        .collect();
    all.push(json!({
        "type": "special",
        "options": {"match": "null+nan", "result": {"text": nothing, "color": Colour::Unknown.name(), "index": 9}},
    }));
    all.into()
}

fn override_of(panel: &Panel, column: &Column) -> Value {
    let mut properties = Vec::new();
    if let Some(unit) = column.unit {
        properties.push(json!({"id": "unit", "value": unit}));
    }
    if let Some(colour) = column.colour {
        properties.push(json!({"id": "color", "value": {"mode": "fixed", "fixedColor": colour.name()}}));
    }
    if !column.steps.is_empty() {
        properties.push(json!({"id": "thresholds", "value": {"mode": "absolute", "steps": steps(&column.steps)}}));
    }
    if !column.says.is_empty() {
        properties.push(json!({"id": "mappings", "value": mappings(&column.says, panel.nothing)}));
    }
    if panel.kind == Kind::Table && (!column.steps.is_empty() || !column.says.is_empty()) {
        properties.push(json!({"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}}));
    }
    json!({"matcher": {"id": "byName", "options": column.name}, "properties": properties})
}
