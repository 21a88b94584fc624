//! Change requests.

use super::sheet::Sheet;
use super::ticket::number_of;
use super::{ServiceNow, Update};
use crate::ingest::adapt::codes::{Error, No, Skip};
use crate::ingest::adapt::desk::{Desk, Told};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::state::Row;
use crate::ingest::adapt::tree::Tree;
use onus_engine::time::Moment;

/// What a change's row says of when: planned, worked, closed.
struct Times {
    planned_start: Option<Moment>,
    planned_end: Option<Moment>,
    work_start: Option<Moment>,
    work_end: Option<(Moment, Quality)>,
    closed: Option<(Moment, Quality)>,
}

impl ServiceNow {
    pub(super) fn change(
        &self,
        sheet: &Sheet<'_, '_>,
        previous: Option<&Tree<'_>>,
        desk: &mut Desk<'_>,
    ) -> Result<(), No> {
        let key = format!("change_request:{}", sheet.id()?);
        let known = desk.known(&key).cloned();
        let update = self.update("change_request", sheet, known.as_ref(), previous.is_some())?;
        desk.about(&update.number, &update.partner, update.at);
        let Some(state) = sheet.get("state") else {
            return No::error(Error::UnmappedState, "the row has no state");
        };
        let state = self.word(&self.tables.change, "state", &state)?;
        let from = match (&known, previous.and_then(|row| row.at("state").word())) {
            (Some(row), _) => row.get("state").map(str::to_owned),
            (None, Some(before)) => Some(self.word(&self.tables.change, "state", &before)?.to_owned()),
            (None, None) => None,
        };
        let times = Times {
            planned_start: sheet.time("start_date")?.map(|(at, _)| at),
            planned_end: sheet.time("end_date")?.map(|(at, _)| at),
            work_start: sheet.time("work_start")?.map(|(at, _)| at),
            work_end: sheet.time("work_end")?,
            closed: sheet.time("closed_at")?,
        };
        let window = format!("{:?} {:?}", times.planned_start.map(|at| at.0), times.planned_end.map(|at| at.0));
        // What came of a vote, and since when at the latest.
        let said = if self.audited("change_request") { None } else { sheet.get("approval") };
        let audited = known.as_ref().filter(|_| self.audited("change_request"));
        let approval = match audited {
            Some(row) => row.get("approval").map(str::to_owned),
            None => said.map(|word| word.trim().to_lowercase()),
        };
        let voted = match known.as_ref().filter(|row| row.get("approval") == approval.as_deref()) {
            Some(row) => row.get("voted").map(str::to_owned),
            None => Some(update.at.0.to_string()),
        };
        let row = Row::default()
            .with("count", Some(&update.count.to_string()))
            .with("number", Some(&update.number))
            .with("partner", Some(&update.partner))
            .with("state", Some(state))
            .with("window", Some(&window))
            .with("approval", approval.as_deref())
            .with("voted", voted.as_deref())
            .with("voted-in", audited.and_then(|row| row.get("voted-in")));
        let mut told = 0;
        let mut worked = known.as_ref().and_then(|row| row.get("worked")).map(str::to_owned);
        if known.is_none() {
            self.requested(&update, desk)?;
            told += 1;
        }
        let moved = from.as_deref() != Some(state);
        let rescheduled = !moved && known.as_ref().and_then(|row| row.get("window")) != Some(window.as_str());
        let seen = from.as_deref();
        match state {
            "scheduled" if moved || rescheduled => told += scheduled(&update, &times, desk)?,
            "review" if moved => told += self.worked(&update, &times, (seen, state), &mut worked, desk)?,
            "closed" if moved => {
                told += self.worked(&update, &times, (seen, state), &mut worked, desk)?;
                told += closed(&update, &times, None, desk)?;
            }
            "cancelled" if moved => told += closed(&update, &times, Some("cancelled"), desk)?,
            _ => {}
        }
        desk.remember(&key, row.with("worked", worked.as_deref()));
        if known.is_none() && self.audited("change_request") {
            told += self.catch_up(&update, desk)?;
        }
        told += self.release(&update.id, desk)?;
        match (told, moved, state) {
            (0, true, "implement") => No::skip(Skip::NotFinal, "the work has begun; it is told when it is done"),
            (0, true, _) => No::skip(Skip::NotFinal, format!("the change is at {state}, which tells nothing yet")),
            (0, false, _) => No::skip(Skip::NoChange, "the change is where it was"),
            _ => Ok(()),
        }
    }

    fn requested(&self, update: &Update<'_, '_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let sheet = update.sheet;
        let (at, quality) = match sheet.time("opened_at")? {
            Some(time) => time,
            None => (sheet.needed("sys_created_on")?.0, Quality::UpperBound),
        };
        let by = sheet.get("sys_created_by");
        let mut data = Vec::from(self.who(by.as_deref()));
        data.push(("priority", self.priority(sheet)?.map_or(Value::Null, Value::from)));
        data.push(("group", sheet.get("assignment_group").as_deref().map_or(Value::Null, Value::from)));
        // Whether it touches privileged access no field says: not known is not no.
        data.push(("privileged", Value::Null));
        tell(update, "change.requested", "requested", Some((at, quality)), data, desk)
    }

    /// The work is over: done, or failed if its close code says so, once each. Where the row shows neither the work nor that
    /// it went through it, nothing is told: a change can be closed without having been made.
    fn worked(
        &self,
        update: &Update<'_, '_, '_>,
        times: &Times,
        (from, state): (Option<&str>, &str),
        worked: &mut Option<String>,
        desk: &mut Desk<'_>,
    ) -> Result<usize, No> {
        let code = update.sheet.get("close_code");
        let failed = code.as_deref().is_some_and(|code| self.tables.failed_close_codes.contains(code));
        let done = times.work_end.is_some() || state == "review" || from == Some("implement");
        let word = match worked.as_deref() {
            Some("failed") => return Ok(0),
            _ if failed => "failed",
            Some(_) => return Ok(0),
            None if done => "executed",
            None => return Ok(0),
        };
        *worked = Some(word.to_owned());
        let mut data = Vec::from(update.actor.clone());
        data.extend(times.work_start.map(|at| ("started_at", Value::At(at))));
        if failed {
            data.push(("outcome", Value::from("failed")));
            let evidence = times.work_end.or(times.closed);
            tell(update, "change.failed", "failed", evidence, data, desk)?;
        } else {
            tell(update, "change.executed", "executed", times.work_end, data, desk)?;
        }
        Ok(1)
    }
}

fn scheduled(update: &Update<'_, '_, '_>, times: &Times, desk: &mut Desk<'_>) -> Result<usize, No> {
    let mut data = Vec::from(update.actor.clone());
    data.extend(times.planned_start.map(|at| ("planned_start", Value::At(at))));
    data.extend(times.planned_end.map(|at| ("planned_end", Value::At(at))));
    tell(update, "change.scheduled", "scheduled", None, data, desk)?;
    Ok(1)
}

fn closed(update: &Update<'_, '_, '_>, times: &Times, outcome: Option<&str>, desk: &mut Desk<'_>) -> Result<usize, No> {
    let mut data = Vec::from(update.actor.clone());
    data.extend(outcome.map(|outcome| ("outcome", Value::from(outcome))));
    tell(update, "change.closed", "closed", times.closed, data, desk)?;
    Ok(1)
}

fn tell(
    update: &Update<'_, '_, '_>,
    kind: &'static str,
    word: &str,
    evidence: Option<(Moment, Quality)>,
    mut data: Vec<(&'static str, Value)>,
    desk: &mut Desk<'_>,
) -> Result<(), No> {
    let Update { id, count, .. } = update;
    let (at, quality) = evidence.unwrap_or((update.at, update.quality));
    let id = match word {
        "requested" => format!("change_request:{id}:requested"),
        // By the instant that the row shows, so that a later look at the same row finds the same.
        word if evidence.is_some() => format!("change_request:{id}:{word}:{}", at.0),
        word => format!("change_request:{id}:{count}:{word}"),
    };
    let ticket = update.sheet.get("parent").and_then(|id| number_of("incident", &id, desk));
    data.extend(ticket.map(|number| ("ticket", Value::from(number))));
    desk.tell(Told {
        id,
        kind,
        at,
        quality,
        subject: update.number.clone(),
        partner: update.partner.clone(),
        factkey: None,
        sequence: Some(count.to_string()),
        correlation: None,
        data,
    })
}
