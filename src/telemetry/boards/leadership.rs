//! For whoever is accountable: a minute's look.

use super::{Board, Colour, Column, JOB, Kind, PARTNER, Panel, Row, Say, due_next, partners, trust};

pub(super) fn board() -> Board {
    Board {
        uid: "onus-leadership",
        title: "Onus: overview",
        words: "For whoever is accountable. Whether this page can be trusted, which partner is worst, whether we are within \
                contract, what breaks next, where nobody is accountable, and who must act.",
        variables: vec![partners(true)],
        from: "now-14d",
        rows: vec![
            Row { title: "Can I trust this page?", panels: vec![trust(), blind(), clock(), ledger()] },
            Row { title: "Which partner is worst?", panels: vec![worst()] },
            Row { title: "Are we within contract?", panels: vec![within(), margins(), trend()] },
            Row { title: "What comes next?", panels: vec![due_next(PARTNER, 12), court()] },
            Row { title: "Where is nobody accountable?", panels: vec![findings(), nobody(), waivers()] },
        ],
    }
}

fn blind() -> Panel {
    Panel::new(
        Kind::Stat,
        "Whom can we not see?",
        "Partners with duties that rest on a source which has stopped. What stands of them on this page is what was known \
         before that. 0 is said by Onus; no answer is not 0.",
    )
    .size(6, 5)
    .ask(JOB, "sum(max by (partner) (onus_partner_blind{#}))", "Blind partners")
    .steps(Colour::Unknown, &[])
    .says(&[Say::Value(0, "Nobody is out of sight", Colour::Good)])
    .runbooks(&["OnusPartnerBlind"])
}

fn clock() -> Panel {
    Panel::new(
        Kind::Stat,
        "How far behind is the judge's clock?",
        "Prometheus's time less the judge's. While it grows no deadline passes and nothing new is breached, so that all green is \
         old. Of several processes, the one that is furthest behind.",
    )
    .size(5, 5)
    .ask(JOB, "time() - min(onus_clock_timestamp_seconds{#})", "Behind")
    .unit("s")
    .steps(Colour::Good, &[(120.0, Colour::Unknown)])
    .runbooks(&["OnusClockHeld", "OnusStoreNotWritten"])
}

fn ledger() -> Panel {
    use Say::Value;
    Panel::new(
        Kind::Stat,
        "Is the ledger whole?",
        "What the last look at the ledger's chain found, if it is not older than three hours: Onus looks each hour, from the first \
         entry to the last. Before its first look nobody knows. `onus store verify` says more.",
    )
    .size(5, 5)
    .ask(
        JOB,
        "min(onus_ledger_ok{#}) * (1 + (time() - min(onus_ledger_last_verified_timestamp_seconds{#}) < bool 10800))",
        "Ledger",
    )
    .steps(Colour::Unknown, &[])
    .says(&[
        Value(0, "DAMAGED", Colour::Bad),
        Value(1, "Not looked at for hours", Colour::Unknown),
        Value(2, "Yes", Colour::Good),
    ])
    .runbooks(&["OnusLedgerUnverifiable", "OnusLedgerUnverified"])
}

/// 4 not known, 3 outside, 2 at risk, 1 within: the first of them that is so. Outside is what it is in the row below.
const STANDING: &str = "(max by (partner) (onus_partner_info{#}) * 0 + 4 \
                        and on () (time() - min(onus_clock_timestamp_seconds{job=~\"$job\"}) > 120))\n\
                        or ((max by (partner) (onus_partner_blind{#}) > 0) * 0 + 4)\n\
                        or ((max by (partner) (onus_duties{standing=\"unknown\",#}) > 0) * 0 + 4)\n\
                        or ((max by (partner) (onus_duties{standing=\"breached\",#}) > 0) * 0 + 3)\n\
                        or ((max by (partner) (onus_findings_open{#}) > 0) * 0 + 3)\n\
                        or ((min by (partner) (max by (partner, obligation) (onus_compliance_ratio{window=\"current\",#})\n  \
                        - on (partner, obligation) max by (partner, obligation) (onus_target_ratio{#})) < 0) * 0 + 3)\n\
                        or ((max by (partner) (onus_duties_at_risk{#}) > 0) * 0 + 2)\n\
                        or (max by (partner) (onus_partner_info{#}) * 0 + 1)";

fn worst() -> Panel {
    use Say::Value;
    let count = |name| Column::named(name).steps(Colour::Plain, &[(1.0, Colour::Bad)]);
    Panel::new(
        Kind::Table,
        "Who fails us now, and how badly?",
        "One line a partner. Those of whom something is not known come first: they may be worse than any other. Then those \
         outside their contract (a duty is broken and not mended, a finding stands, a target of the current window is missed), \
         those at risk, and the rest. Margin: the obligation furthest from its target in the current window, in \
         points of a hundred. Broken for: how long the oldest breach has not been mended. Findings stand until they are explained.",
    )
    .size(24, 8)
    .ask(PARTNER, STANDING, "Standing")
    .ask(
        PARTNER,
        "sum by (partner) (max by (partner, obligation) (onus_duties{standing=\"unknown\",#}))",
        "Verdict open",
    )
    .ask(PARTNER, "sum by (partner) (max by (partner, obligation) (onus_duties{standing=\"breached\",#}))", "Broken")
    .ask(
        PARTNER,
        "scalar(max(onus_clock_timestamp_seconds{job=~\"$job\"}))\n\
         - min by (partner) (onus_oldest_breach_timestamp_seconds{#})",
        "Broken for",
    )
    .ask(PARTNER, "sum by (partner) (max by (partner, obligation) (onus_duties_at_risk{#}))", "At risk")
    .ask(PARTNER, "sum by (partner) (max by (partner, obligation) (onus_findings_open{#}))", "Findings")
    .ask(
        PARTNER,
        "min by (partner) (max by (partner, obligation) (onus_compliance_ratio{window=\"current\",#})\n\
         - on (partner, obligation) max by (partner, obligation) (onus_target_ratio{#}))",
        "Worst margin",
    )
    .column(Column::named("Standing").says(&[
        Value(4, "not known", Colour::Unknown),
        Value(3, "outside its contract", Colour::Bad),
        Value(2, "at risk", Colour::Warn),
        Value(1, "within its contract", Colour::Good),
    ]))
    .column(Column::named("Verdict open").steps(Colour::Plain, &[(1.0, Colour::Unknown)]))
    .column(count("Broken"))
    .column(Column::named("Broken for").unit("s"))
    .column(Column::named("At risk").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .column(Column::named("Findings").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .column(Column::named("Worst margin").unit("percentunit").steps(Colour::Bad, &[(0.0, Colour::Plain)]))
    .nothing("-")
    .runbooks(&["OnusBreached", "OnusPartnerBlind", "OnusFindingNew"])
    .sorted("Standing", true)
}

/// Each obligation counts once, as the first of these that is so: not known, outside, within.
fn within() -> Panel {
    const ALL: &str = "max by (partner, obligation) (onus_duties{standing=\"open\",#})";
    const UNKNOWN: &str = "(max by (partner, obligation) (onus_duties{standing=\"unknown\",#}) > 0\n  \
                           or max by (partner, obligation) (onus_duties{standing=\"open\",#}) \
                           and on (partner) (max by (partner) (onus_partner_blind{#}) > 0)\n  \
                           or max by (partner, obligation) (onus_duties{standing=\"open\",#}) \
                           and on () (time() - min(onus_clock_timestamp_seconds{job=~\"$job\"}) > 120))";
    const OUTSIDE: &str = "(max by (partner, obligation) (onus_duties{standing=\"breached\",#}) > 0\n  \
                           or max by (partner, obligation) (onus_findings_open{#}) > 0\n  \
                           or max by (partner, obligation) (onus_allowance_remaining{#}) < 0\n  \
                           or (max by (partner, obligation) (onus_compliance_ratio{window=\"current\",#})\n    \
                           < on (partner, obligation) max by (partner, obligation) (onus_target_ratio{#})))";
    // Nothing counted is 0 only where Onus answers.
    let zero = format!("or count({ALL}) * 0");
    Panel::new(
        Kind::Stat,
        "Are we within contract?",
        "Obligations, each counted once. Not known: a verdict is open, a source has stopped, or the clock stands still. Outside: \
         a duty is broken and not mended, a finding stands, or the target of the current window is missed. Within: none of these, and it is known.",
    )
    .size(8, 7)
    .ask(PARTNER, &format!("count({UNKNOWN})\n{zero}"), "Not known")
    .ask(PARTNER, &format!("count({OUTSIDE}\n  unless {UNKNOWN})\n{zero}"), "Outside")
    .ask(PARTNER, &format!("count({ALL}\n  unless {UNKNOWN}\n  unless {OUTSIDE})\n{zero}"), "Within")
    .steps(Colour::Unknown, &[])
    .column(Column::named("Not known").steps(Colour::Plain, &[(1.0, Colour::Unknown)]))
    .column(Column::named("Outside").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
    .column(Column::named("Within").steps(Colour::Plain, &[(1.0, Colour::Good)]))
    .runbooks(&["OnusBreached", "OnusComplianceBelowTarget", "OnusVerdictUnknown"])
}

fn margins() -> Panel {
    Panel::new(
        Kind::Bars,
        "Which contracted levels are missed, or nearly?",
        "Achieved less target, in the current window: the ten worst. Below zero the level is missed. Obligations without a \
         target or without a verdict are not here, and none of a partner that we are blind to.",
    )
    .size(8, 7)
    .ask(
        PARTNER,
        "bottomk(10, max by (partner, obligation) (onus_compliance_ratio{window=\"current\",#})\n\
         - on (partner, obligation) max by (partner, obligation) (onus_target_ratio{#})\n\
         unless on (partner) (max by (partner) (onus_partner_blind{#}) > 0))",
        "{{partner}} {{obligation}}",
    )
    .unit("percentunit")
    .steps(Colour::Bad, &[(0.0, Colour::Plain)])
    .nothing("no target has a verdict yet")
    .runbooks(&["OnusComplianceBelowTarget", "OnusAllowanceExhausting"])
}

fn trend() -> Panel {
    Panel::new(
        Kind::Bars,
        "Who gets worse?",
        "The share of verdicts that were met in time, in the current window less the one before it, over all obligations of a \
         partner: the ten that lost most. A partner without verdicts in either window is not here.",
    )
    .size(8, 7)
    .ask(
        PARTNER,
        "bottomk(10,\n  sum by (partner) (max by (partner, obligation) (onus_window_verdicts{window=\"current\",verdict=\"met\",#}))\n  \
         / sum by (partner) (max by (partner, obligation, verdict) (onus_window_verdicts{window=\"current\",#}) > 0)\n  \
         - sum by (partner) (max by (partner, obligation) (onus_window_verdicts{window=\"previous\",verdict=\"met\",#}))\n  \
         / sum by (partner) (max by (partner, obligation, verdict) (onus_window_verdicts{window=\"previous\",#}) > 0))",
        "{{partner}}",
    )
    .unit("percentunit")
    .steps(Colour::Warn, &[(0.0, Colour::Plain)])
    .nothing("no partner has verdicts in both windows")
    .runbooks(&["OnusComplianceBelowTarget"])
}

fn court() -> Panel {
    Panel::new(
        Kind::Bars,
        "Whose court is the ball in?",
        "Duties that have not ended, by who must act next: the partner, or the customer, who owes an answer or has paused the \
         clock. A long bar of the customer's is our own work.",
    )
    .size(12, 8)
    .ask(PARTNER, "max by (partner, side) (onus_holder_duties{#}) > 0", "{{partner}}: {{side}}")
    .steps(Colour::Plain, &[])
    .nothing("no duty is open, or nothing is known: see the first row")
}

fn findings() -> Panel {
    Panel::new(
        Kind::Table,
        "Which rules were broken?",
        "Findings that stand, by partner and obligation: a change that nobody approved, an action that nobody can be named for. \
         They stand until later news or a waiver takes them off.",
    )
    .size(12, 6)
    .ask(PARTNER, "max by (partner, obligation) (onus_findings_open{#}) > 0", "Findings")
    .column(Column::named("Findings").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .nothing("none, or nothing is known: see the first row")
    .runbooks(&["OnusFindingNew"])
    .sorted("Findings", true)
}

fn nobody() -> Panel {
    Panel::new(
        Kind::Stat,
        "Which records are nobody's?",
        "Records since the process began that no contract's scope gives to a partner, and those that could not be read at all. \
         What they tell is held against nobody. Acts without an accountable person are findings of the obligation that asks for \
         one; they are counted on the board of credentials.",
    )
    .size(6, 6)
    .ask(JOB, "sum(onus_source_events_total{result=\"unbound\",#})", "No partner")
    .ask(JOB, "sum(onus_source_events_total{result=\"refused\",#})", "Not readable")
    .steps(Colour::Good, &[(1.0, Colour::Warn)])
    .runbooks(&["OnusSourceDown"])
}

fn waivers() -> Panel {
    Panel::new(
        Kind::Stat,
        "How much is waived?",
        "Deviations that the customer has approved and that are in force: where they are, the risk is the customer's own.",
    )
    .size(6, 6)
    .ask(PARTNER, "sum(max by (partner) (onus_waivers_active{#}))", "Waivers")
    .steps(Colour::Plain, &[])
}
