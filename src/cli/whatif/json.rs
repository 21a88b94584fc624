//! What would have been different, as JSON; docs/seams.md has the keys.

use crate::cli::json::{LetterJson, ReadJson, open};
use crate::runtime::whatif::{Change, Line, Shift, State, WhatIf};
use onus_engine::engine::Tally;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde_json::{Value, json};

pub(super) fn document(told: &WhatIf) -> String {
    let mut document = head(told);
    document["obligations"] = told.obligations.iter().map(obligation).collect();
    document["breaches"] = told.breaches.iter().map(breach).collect();
    document["dead_letters"] = told.letters.iter().map(|letter| json!(LetterJson::of(letter))).collect();
    format!("{document}\n")
}

pub(super) fn lines(told: &WhatIf) -> String {
    let of = |record: &str, mut value: Value| {
        value["record"] = record.into();
        format!("{value}\n")
    };
    let mut out = of("whatif", head(told));
    told.obligations.iter().for_each(|line| out += &of("obligation", obligation(line)));
    told.breaches.iter().for_each(|shift| out += &of("breach", breach(shift)));
    told.letters.iter().for_each(|letter| out += &of("dead_letter", json!(LetterJson::of(letter))));
    out
}

fn head(told: &WhatIf) -> Value {
    let of = |change: Change| told.breaches.iter().filter(|b| b.change == change).count();
    let taken: Vec<Value> = told
        .taken
        .iter()
        .map(|t| {
            json!({
                "contract": t.contract,
                "partners": t.partners,
                "effective": instant(t.written),
                "in_force_from": instant(t.from),
                "new": !t.known,
                "other_partners_today": t.others,
            })
        })
        .collect();
    json!({
        "until": told.until.map(instant),
        "since": told.since.map(instant),
        "contracts": taken,
        "unchanged_contracts": told.kept,
        "differs": told.differs(),
        "summary": {
            "vanish": of(Change::Vanishes),
            "appear": of(Change::Appears),
            "move": of(Change::Moves),
            "same": told.same,
        },
        "read": ReadJson::of(&told.read),
    })
}

fn obligation(line: &Line) -> Value {
    let [before, after] = line.counts.each_ref().map(counts);
    json!({
        "partner": line.partner,
        "contract": line.contract,
        "obligation": line.obligation,
        "clause": line.clause,
        "change": match line.change {
            Change::Appears => "new",
            Change::Vanishes => "removed",
            Change::Same | Change::Moves => "in both",
        },
        "before": before,
        "after": after,
        "vanish": line.vanish,
        "appear": line.appear,
        "move": line.moves,
    })
}

fn counts(tally: &Tally) -> Value {
    json!({
        "met": tally.of(Standing::Met),
        "breached": tally.broken,
        "met_late": tally.of(Standing::MetLate),
        "waived": tally.of(Standing::Waived),
        "cancelled": tally.of(Standing::Cancelled),
        "exempt": tally.of(Standing::Exempt),
        "unknown": tally.of(Standing::Unknown),
        "open": open(tally),
    })
}

fn breach(shift: &Shift) -> Value {
    json!({
        "change": match shift.change {
            Change::Vanishes => "vanishes",
            Change::Appears => "appears",
            Change::Moves => "moves",
            Change::Same => "same",
        },
        "partner": shift.partner,
        "contract": shift.contract,
        "obligation": shift.obligation,
        "clause": shift.clause,
        "subject": shift.subject,
        "duty": shift.duty.to_string(),
        "before": shift.states[0].map(state),
        "after": shift.states[1].map(state),
        "reason": shift.reason,
    })
}

fn state(state: State) -> Value {
    json!({
        "standing": state.standing.word(),
        "started": instant(state.start),
        "deadline": state.deadline.map(instant),
        "ended_at": state.ended.map(instant),
    })
}

fn instant(at: Moment) -> String {
    at.to_string()
}
