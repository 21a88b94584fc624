//! Onus against itself: counts, the list of breaches and the duties of one report tell one story, or none is believed.

use crate::runtime::check::{DutyRow, Report};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::BTreeMap;

/// A breach, from the list of breaches or from a duty.
type Broken<'r> = (&'r str, &'r str, &'r str, Moment, Moment, Option<Moment>);

/// How many of an obligation stand how, broken ones beside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    standings: BTreeMap<Standing, i64>,
    broken: i64,
}

/// Where a report is at odds with itself; None: nowhere.
pub(super) fn at_odds(report: &Report) -> Option<String> {
    let mut listed: Vec<Broken<'_>> = report
        .breaches
        .iter()
        .map(|b| (&*b.partner, &*b.obligation, b.subject.as_str(), b.started, b.breached_at, b.ended))
        .collect();
    let all = || report.duties.iter().flat_map(|row| row.earlier.iter().chain([row]));
    let mut broken: Vec<Broken<'_>> = all().filter_map(broken).collect();
    listed.sort();
    broken.sort();
    if listed != broken {
        return Some(format!("its list of breaches is not that of its duties: {listed:?}, {broken:?}"));
    }
    let mut counted: BTreeMap<(&str, &str), Counted> = BTreeMap::new();
    for duty in all().filter(|duty| duty.standing != Standing::Withdrawn) {
        let of = counted.entry((&duty.partner, &duty.obligation)).or_default();
        *of.standings.entry(duty.standing).or_default() += 1;
        // Broken as far as we know is not broken yet.
        of.broken += i64::from(duty.breached_at.is_some() && duty.standing != Standing::Unknown);
    }
    for row in &report.obligations {
        let told = Counted {
            standings: Standing::ALL
                .into_iter()
                .filter(|standing| !matches!(standing, Standing::Untold | Standing::Withdrawn))
                .map(|standing| (standing, row.tally.of(standing)))
                .filter(|(_, n)| *n != 0)
                .collect(),
            broken: row.tally.broken,
        };
        let found = counted.remove(&(row.partner.as_str(), row.obligation.as_str())).unwrap_or_default();
        if told != found {
            return Some(format!("{} counts {told:?}, its duties are {found:?}", row.obligation));
        }
    }
    (!counted.is_empty()).then(|| format!("duties without a count: {counted:?}"))
}

fn broken(duty: &DutyRow) -> Option<Broken<'_>> {
    let at = duty.breached_at.filter(|_| !matches!(duty.standing, Standing::Withdrawn | Standing::Unknown))?;
    Some((&duty.partner, &duty.obligation, &duty.subject, duty.start, at, duty.ended_at))
}
