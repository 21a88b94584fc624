//! Contracts held against those that were agreed before: which changes reach into the past.

use super::Loaded;
use crate::contract::code::Code;
use crate::contract::problem::Problem;
use chrono::NaiveDate;
use onus_engine::calendar::instant;
use onus_engine::terms::{Contract, Severity};
use onus_engine::time::Moment;

/// Reports versions that would move what has ended before `today`: new ones with an `effective` before it, versions in
/// force whose text is another, and versions in force that are gone. `old` are those that were agreed.
pub(crate) fn backdated(new: &[Loaded], old: &[Loaded], today: NaiveDate) -> Vec<Problem> {
    let mut problems = Vec::new();
    for one in new {
        let contract = &one.contract;
        let day = instant(contract.zone, today, 0);
        let agreed = || old.iter().filter(|o| o.contract.name == contract.name);
        // Of a relationship that is new nothing has ended.
        if contract.effective >= day || agreed().next().is_none() {
            continue;
        }
        let since = contract.effective;
        let message = match agreed().find(|o| is_version(&o.contract, contract)) {
            Some(before) if says_same(&before.contract, contract, day) => continue,
            Some(before) => format!("in force since {since}, and it says other than {}", before.file),
            None => format!("takes effect at {since}, which is past, and was not agreed before"),
        };
        problems.extend(told(one, "effective", contract.restates.as_deref(), &message));
    }
    for before in old {
        let day = instant(before.contract.zone, today, 0);
        let mut same_name = new.iter().filter(|one| one.contract.name == before.contract.name);
        let kept = same_name.clone().any(|one| is_version(&one.contract, &before.contract));
        if kept || before.contract.effective >= day {
            continue;
        }
        let restates = same_name.clone().find_map(|one| one.contract.restates.as_deref());
        // A contract that is gone altogether is told where it was.
        let place = same_name.next().unwrap_or(before);
        let message = format!(
            "the version of {} that took effect at {} is gone",
            before.contract.name, before.contract.effective
        );
        problems.extend(told(place, "contract", restates, &message));
    }
    problems
}

fn told(one: &Loaded, key: &str, restates: Option<&str>, message: &str) -> Vec<Problem> {
    match restates {
        Some(reason) => {
            let hint = format!("restated on purpose: {reason}");
            one.problem(key, Code::Restated, message.to_owned(), &hint)
        }
        None => {
            let hint = "let the change take effect from now on, in a version of its own; or say why in `restates`";
            one.problem(key, Code::Backdated, message.to_owned(), hint)
        }
    }
}

fn is_version(a: &Contract, b: &Contract) -> bool {
    (&a.name, &a.partners, a.effective) == (&b.name, &b.partners, b.effective)
}

/// Whether two texts of one version judge everything before `day` alike.
fn says_same(a: &Contract, b: &Contract, day: Moment) -> bool {
    let names = |c: &Contract| c.calendars.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let open =
        |c: &Contract| c.calendars.iter().map(|(_, calendar)| calendar.stretches(c.effective, day)).collect::<Vec<_>>();
    // Terms are plain data: what they show is all that they say.
    let shown = |c: &Contract| format!("{:?}", judged(c, day));
    names(a) == names(b) && shown(a) == shown(b) && open(a) == open(b)
}

/// What of a contract can move a standing before `day`. Calendars are compared by what they come to.
fn judged(contract: &Contract, day: Moment) -> Contract {
    let mut out = contract.clone();
    out.calendars = Vec::new();
    out.restates = None;
    (out.stack, out.retention) = (None, None);
    (out.roles, out.subcontractors, out.escalation) = (Vec::new(), Vec::new(), Vec::new());
    out.ends = out.ends.filter(|ends| *ends < day);
    for obligation in &mut out.obligations {
        obligation.says = None;
        (obligation.severity, obligation.escalate) = (Severity::default(), None);
    }
    if let Some(waivers) = &mut out.waivers {
        waivers.granted.retain(|granted| granted.starts < day);
    }
    out
}
