//! One partner: what it owes, how it stands, what is left.

use super::{BOTH, Board, Colour, Column, Kind, PARTNER, Panel, Row, Say, due_next, obligations, partners, trust};

pub(super) fn board() -> Board {
    Board {
        uid: "onus-partner",
        title: "Onus: one partner",
        words: "For whoever manages a partner, and for the partner: objective, achieved and allowance of each obligation, what \
                stands broken, what is due, who must act.",
        variables: vec![partners(false), obligations("")],
        from: "now-14d",
        rows: vec![
            Row { title: "Can I trust this page?", panels: vec![trust(), seen(), broken(), at_risk()] },
            Row { title: "What was agreed, what was achieved, what is left?", panels: vec![numbers()] },
            Row { title: "How do duties stand?", panels: vec![standings(), levels()] },
            Row { title: "What comes next?", panels: vec![due_next(BOTH, 12), court()] },
            Row { title: "What was decided?", panels: vec![verdicts(), breaches()] },
        ],
    }
}

fn seen() -> Panel {
    use Say::Value;
    Panel::new(
        Kind::Stat,
        "Can this partner be seen?",
        "Whether every source on which a duty of this partner rests can be read. If not, all below is what was known before.",
    )
    .size(6, 5)
    .ask(PARTNER, "max(onus_partner_blind{#})", "Blind")
    .steps(Colour::Unknown, &[])
    .says(&[Value(0, "Yes", Colour::Good), Value(1, "No: a source has stopped", Colour::Unknown)])
    .runbooks(&["OnusPartnerBlind"])
}

/// Without an answer, and without sight, there is no number.
const SEEN: &str = "\nunless on () (max(onus_partner_blind{job=~\"$job\",partner=~\"$partner\"}) > 0)";

fn broken() -> Panel {
    let asked = format!("sum(max by (partner, obligation) (onus_duties{{standing=\"breached\",#}})){SEEN}");
    Panel::new(
        Kind::Stat,
        "What stands broken?",
        "Duties past their deadline and still not done, of the chosen obligations. No number while this partner cannot be seen: \
         there may be more.",
    )
    .size(5, 5)
    .ask(BOTH, &asked, "Broken")
    .steps(Colour::Good, &[(1.0, Colour::Bad)])
    .runbooks(&["OnusBreached"])
}

fn at_risk() -> Panel {
    let asked = format!("sum(max by (partner, obligation) (onus_duties_at_risk{{#}})){SEEN}");
    Panel::new(
        Kind::Stat,
        "What is at risk?",
        "Open duties past the instant at which the contract wants a warning. No number while this partner cannot be seen.",
    )
    .size(5, 5)
    .ask(BOTH, &asked, "At risk")
    .steps(Colour::Good, &[(1.0, Colour::Warn)])
    .runbooks(&["OnusAtRisk"])
}

fn numbers() -> Panel {
    Panel::new(
        Kind::Table,
        "Objective, achieved, allowance left?",
        "One line an obligation. Objective: the contract's target. Achieved: met in time, of the verdicts of the current window; \
         empty where there is none. Allowance: further breaches that the window has room for. Window ends: time left in it. The \
         rest are duties now; findings are rules that were broken and stand.",
    )
    .size(24, 10)
    .ask(BOTH, "max by (obligation, clause) (onus_obligation_info{#})", "")
    .ask(BOTH, "max by (obligation) (onus_duties{standing=\"unknown\",#})", "Verdict open")
    .ask(BOTH, "max by (obligation) (onus_target_ratio{#})", "Objective")
    .ask(BOTH, "max by (obligation) (onus_compliance_ratio{window=\"current\",#})", "Achieved")
    .ask(BOTH, "max by (obligation) (onus_compliance_ratio{window=\"previous\",#})", "Window before")
    .ask(BOTH, "max by (obligation) (onus_allowance_remaining{#})", "Allowance")
    .ask(
        BOTH,
        "max by (obligation) (onus_window_end_timestamp_seconds{#})\n\
         - scalar(max(onus_clock_timestamp_seconds{job=~\"$job\"}))",
        "Window ends",
    )
    .ask(BOTH, "max by (obligation) (onus_duties{standing=\"breached\",#})", "Broken")
    .ask(BOTH, "max by (obligation) (onus_duties{standing=\"open\",#})", "Open")
    .ask(BOTH, "max by (obligation) (onus_findings_open{#})", "Findings")
    .column(Column::named("Verdict open").steps(Colour::Plain, &[(1.0, Colour::Unknown)]))
    .column(Column::named("Objective").unit("percentunit"))
    .column(Column::named("Achieved").unit("percentunit"))
    .column(Column::named("Window before").unit("percentunit"))
    .column(Column::named("Allowance").steps(Colour::Bad, &[(0.0, Colour::Plain)]))
    .column(Column::named("Window ends").unit("s"))
    .column(Column::named("Broken").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
    .column(Column::named("Findings").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .nothing("-")
    .runbooks(&["OnusComplianceBelowTarget", "OnusAllowanceExhausting", "OnusVerdictUnknown"])
    .sorted("Broken", true)
}

fn standings() -> Panel {
    Panel::new(
        Kind::Stack,
        "How did duties stand over time?",
        "Duties that had not ended, stacked by how they stood: open verdicts at the bottom, then broken ones. A gap: Onus did not \
         answer.",
    )
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_duties{standing=\"unknown\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_duties{standing=\"breached\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_duties{standing=\"waived\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_duties{standing=\"paused\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_duties{standing=\"open\",#}))", "{{standing}}")
    .colour("unknown", Colour::Unknown)
    .colour("breached", Colour::Bad)
    .colour("waived", Colour::Warn)
    .colour("paused", Colour::Other)
    .colour("open", Colour::Plain)
    .runbooks(&["OnusBreached", "OnusVerdictUnknown"])
}

fn levels() -> Panel {
    Panel::new(
        Kind::Lines,
        "How did the levels move?",
        "The share of the window's verdicts that were met in time, and the target. It begins anew with each window. Obligations \
         without a verdict have no line: 100 % is not shown of nothing.",
    )
    .ask(BOTH, "max by (obligation) (onus_compliance_ratio{window=\"current\",#})", "{{obligation}}")
    .ask(BOTH, "max by (obligation) (onus_target_ratio{#})", "target of {{obligation}}")
    .unit("percentunit")
    .nothing("no verdict in this window yet")
    .runbooks(&["OnusComplianceBelowTarget"])
}

fn court() -> Panel {
    Panel::new(
        Kind::Stack,
        "Whose court was the ball in?",
        "Duties that had not ended, by the side that had to act next. Where the customer's part grows, it is the customer who \
         lets things wait.",
    )
    .size(12, 8)
    .ask(PARTNER, "max by (side) (onus_holder_duties{#})", "{{side}}")
    .colour("partner", Colour::Warn)
    .colour("customer", Colour::Other)
}

fn verdicts() -> Panel {
    Panel::new(
        Kind::Stack,
        "How did duties end?",
        "Duties that have ended, by how: the net, as `onus check` counts. What later news took back is taken off again.",
    )
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_verdicts{standing=~\"breached|met-late\",#}))", "{{standing}}")
    .ask(BOTH, "sum by (standing) (max by (obligation, standing) (onus_verdicts{standing!~\"breached|met-late\",#}))", "{{standing}}")
    .colour("breached", Colour::Bad)
    .colour("met-late", Colour::Warn)
    .colour("met", Colour::Good)
    .colour("waived", Colour::Other)
    .colour("exempt", Colour::Other)
    .colour("cancelled", Colour::Plain)
}

fn breaches() -> Panel {
    Panel::new(
        Kind::Lines,
        "Which breaches were told, and which taken back?",
        "How often a breach was told, ever, and how often later news proved it wrong. A curve of what was taken back that follows \
         the other closely says that records come too late.",
    )
    .ask(BOTH, "sum(max by (obligation) (onus_breaches_total{#}))", "told")
    .ask(BOTH, "sum(max by (obligation) (onus_breaches_withdrawn_total{#}))", "taken back")
    .ask(BOTH, "sum(max by (obligation) (onus_findings_open{#}))", "findings that stand")
    .colour("told", Colour::Bad)
    .colour("taken back", Colour::Good)
    .colour("findings that stand", Colour::Warn)
}
