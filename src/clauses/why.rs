//! Why a duty stands as it stands, in a line: for a row that expected something else.

use crate::decode;
use crate::ingest::Lines;
use crate::runtime::check::{self, DutyRow, Request};
use chrono_tz::Tz;
use onus_engine::explain::words::{length, local, wall_length};
use onus_engine::explain::{self, DutyStory};
use onus_engine::standing::Standing;

/// Duties of which something is said at most: a case of a thousand says enough with these.
const MOST: usize = 8;

/// Facts of one duty that changed nothing, at most.
const FEW: usize = 3;

/// A line a duty.
pub(super) fn because(request: Request, lines: &str, about: &[&DutyRow], zone: Tz) -> Vec<String> {
    if about.is_empty() {
        return Vec::new();
    }
    let input = vec![Lines::of("row", lines.as_bytes().to_vec(), decode::LONGEST)];
    let Ok(judged) = check::judged_lines(Request { verbose: true, ..request }, input, &mut |_| {}) else {
        return Vec::new();
    };
    let mut told = Vec::new();
    for duty in about.iter().take(MOST) {
        let id = duty.duty.to_string();
        let found = judged.engines.iter().find_map(|engine| {
            let explanation = explain::explain(engine, &duty.partner, &duty.subject)?;
            let mut all = explanation.duties.into_iter().flat_map(|mut story| {
                let mut cycles = std::mem::take(&mut story.earlier_cycles);
                cycles.push(story);
                cycles
            });
            all.find(|story| story.duty == id)
        });
        told.extend(found.map(|story| sentence(&story, &duty.subject, zone)));
    }
    if about.len() > MOST {
        told.push(format!("and {} more", about.len() - MOST));
    }
    told
}

fn sentence(story: &DutyStory, subject: &str, zone: Tz) -> String {
    let mut parts = vec![format!("began {}", local(story.start, zone))];
    match &story.due {
        // Both sides of the sum are local times already.
        Some(due) => parts.push(format!("due {}", due.words)),
        None if story.standing == Standing::Paused => parts.push("paused, so without a deadline".to_owned()),
        None => {}
    }
    let limit = story.limits.first();
    if let Some(calendar) = limit.and_then(|limit| limit.calendar.as_deref()) {
        parts.push(format!("{} used on calendar {calendar}", length(story.elapsed_ms)));
    } else if limit.is_some() {
        parts.push(format!("{} used", wall_length(story.elapsed_ms)));
    }
    match (story.ended_at, &story.ended_by) {
        (Some(at), Some(by)) => parts.push(format!("ended {} by {by}", local(at, zone))),
        (Some(at), None) => parts.push(format!("judged {}", local(at, zone))),
        (None, _) => {}
    }
    // What was paid no heed is what a reader looks for first.
    let idle = story.notes.iter().filter(|note| note.text.contains("does not stop this clock"));
    parts.extend(idle.take(FEW).map(|note| format!("{}: {}", local(note.at, zone), note.text)));
    let heedless = |part: &str| ["not ", "claims", "came too late", "too little"].iter().any(|s| part.starts_with(s));
    let unheeded = story.facts.iter().filter(|fact| heedless(&fact.part));
    parts.extend(unheeded.take(FEW).map(|fact| format!("{} {}: {}", local(fact.at, zone), fact.event, fact.part)));
    format!("{} of {subject} (clause {}): {}", story.obligation, story.clause, parts.join("; "))
}
