//! Credentials, as far as obligations speak of them.

use super::{BOTH, Board, Colour, Column, Kind, PARTNER, Panel, Row, due_next, obligations, partners, trust};

/// Obligations whose ids sound as if they were about credentials; the choice is above the board.
const ABOUT: &str =
    "/rotat|revo|retire|offboard|leaver|expir|renew|credential|secret|key|cert|vault|attribut|privileged/i";

pub(super) fn board() -> Board {
    Board {
        uid: "onus-credentials",
        title: "Onus: credential lifecycle",
        words: "For whoever answers for non-human identities and secrets: which rotations and revocations are overdue, which are \
                due, how many were done in time. What Onus does not know of credentials is said first.",
        variables: vec![partners(true), obligations(ABOUT)],
        from: "now-30d",
        rows: vec![
            Row { title: "Can I trust this page?", panels: vec![trust(), unknown()] },
            Row { title: "What is there, and who answers for it?", panels: vec![held(), answered()] },
            Row { title: "What is overdue?", panels: vec![overdue(), due_next(BOTH, 12)] },
            Row { title: "Is it done in time?", panels: vec![done(), over_time()] },
            Row { title: "What was done that may not be done?", panels: vec![findings(), waived()] },
        ],
    }
}

fn unknown() -> Panel {
    Panel::new(
        Kind::Text,
        "What does this board not know?",
        "Onus judges duties; it keeps no inventory. A credential that no contract asks after, or that nobody has told of, is **not \
         on this board**, and its absence is no good news; how old any of them is, nothing here says. `live` is known only of kinds \
         that a contract names by `every: KIND`. How long a revocation took is in the ledger (`onus explain`), not in a figure. The \
         obligations are chosen above by their names: check that the choice is the one you mean.",
    )
    .size(16, 5)
}

fn held() -> Panel {
    let mut panel = Panel::new(
        Kind::Table,
        "Which credentials does Onus know of, and how do they stand?",
        "Each once, by partner and kind, under the worst of the duties about it that have not ended. Live: nothing is due of it.",
    )
    .size(12, 7);
    for (ask, name) in [
        ("max by (partner, kind) (onus_credentials{state=\"unknown\",#})", "Verdict open"),
        ("max by (partner, kind) (onus_credentials{state=\"breached\",#})", "Overdue"),
        ("max by (partner, kind) (onus_credentials{state=\"at-risk\",#})", "At risk"),
        (
            "sum by (partner, kind) (max by (partner, kind, state) (onus_credentials{state=~\"open|paused\",#}))",
            "Due later",
        ),
        ("max by (partner, kind) (onus_credentials{state=\"waived\",#})", "Excused"),
        ("max by (partner, kind) (onus_credentials{state=\"live\",#})", "Live"),
    ] {
        panel = panel.ask(PARTNER, ask, name);
    }
    panel
        .column(Column::named("Verdict open").steps(Colour::Plain, &[(1.0, Colour::Unknown)]))
        .column(Column::named("Overdue").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
        .column(Column::named("At risk").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
        .nothing("-")
        .runbooks(&["OnusBreached", "OnusVerdictUnknown"])
        .sorted("Overdue", true)
}

fn answered() -> Panel {
    Panel::new(
        Kind::Table,
        "For which acts does nobody answer?",
        "Acts since Onus began, where an obligation asks who answers for them: with nobody named or asked before, and with \
         somebody. Counted as told: what later news mended stands in both; what stands now is below.",
    )
    .size(12, 7)
    .ask(BOTH, "max by (partner, control, obligation) (onus_actions_total{attributed=\"false\",#})", "Nobody")
    .ask(BOTH, "max by (partner, control, obligation) (onus_actions_total{attributed=\"true\",#})", "Somebody")
    .column(Column::named("Nobody").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .nothing("-")
    .runbooks(&["OnusFindingNew"])
    .sorted("Nobody", true)
}

fn overdue() -> Panel {
    Panel::new(
        Kind::Table,
        "Which rotations and revocations are overdue?",
        "Duties past their deadline and not done, by partner and obligation, and since when the oldest is overdue. Verdict open: \
         the deadline has passed, and a source that would show the act was not heard.",
    )
    .size(12, 8)
    .ask(BOTH, "max by (partner, obligation) (onus_duties{standing=\"unknown\",#})", "Verdict open")
    .ask(BOTH, "max by (partner, obligation) (onus_duties{standing=\"breached\",#})", "Overdue")
    .ask(
        BOTH,
        "scalar(max(onus_clock_timestamp_seconds{job=~\"$job\"}))\n\
         - min by (partner, obligation) (onus_oldest_breach_timestamp_seconds{#})",
        "Oldest for",
    )
    .ask(BOTH, "max by (partner, obligation) (onus_duties{standing=\"open\",#})", "Due later")
    .column(Column::named("Verdict open").steps(Colour::Plain, &[(1.0, Colour::Unknown)]))
    .column(Column::named("Overdue").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
    .column(Column::named("Oldest for").unit("s"))
    .nothing("-")
    .runbooks(&["OnusBreached", "OnusVerdictUnknown"])
    .sorted("Overdue", true)
}

fn done() -> Panel {
    Panel::new(
        Kind::Table,
        "How many were done in time in this window?",
        "Verdicts of the current window: duties done in time, and breaches (done late or not at all).",
    )
    .size(12, 8)
    .ask(
        BOTH,
        "max by (partner, obligation) (onus_window_verdicts{window=\"current\",verdict=\"breached\",#})",
        "Not in time",
    )
    .ask(BOTH, "max by (partner, obligation) (onus_window_verdicts{window=\"current\",verdict=\"met\",#})", "In time")
    .column(Column::named("Not in time").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
    .nothing("-")
    .runbooks(&["OnusComplianceBelowTarget"])
    .sorted("Not in time", true)
}

fn over_time() -> Panel {
    Panel::new(
        Kind::Stack,
        "How did they stand over time?",
        "Duties of the chosen obligations that had not ended. Open verdicts are at the bottom, then what was overdue. A gap: Onus \
         did not answer.",
    )
    .ask(BOTH, "sum by (standing) (max by (partner, obligation, standing) (onus_duties{standing=\"unknown\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (partner, obligation, standing) (onus_duties{standing=\"breached\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (partner, obligation, standing) (onus_duties{standing=\"open\",#}))", "{{standing}}")
    .colour("unknown", Colour::Unknown)
    .colour("breached", Colour::Bad)
    .colour("open", Colour::Plain)
    .runbooks(&["OnusBreached"])
}

fn findings() -> Panel {
    Panel::new(
        Kind::Table,
        "Which acts on credentials broke a rule?",
        "Findings that stand: an act without approval, or without anybody who answers for it.",
    )
    .size(12, 7)
    .ask(BOTH, "max by (partner, obligation) (onus_findings_open{#}) > 0", "Findings")
    .column(Column::named("Findings").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .nothing("none, or nothing is known: see the first row")
    .runbooks(&["OnusFindingNew"])
    .sorted("Findings", true)
}

fn waived() -> Panel {
    Panel::new(
        Kind::Table,
        "Which credentials are excused?",
        "Duties that are waived as long as they have not ended: the customer has accepted that they are not done in time.",
    )
    .size(12, 7)
    .ask(BOTH, "max by (partner, obligation) (onus_duties{standing=\"waived\",#}) > 0", "Waived")
    .nothing("none, or nothing is known: see the first row")
    .sorted("Waived", true)
}
