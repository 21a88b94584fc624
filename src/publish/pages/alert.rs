//! An alert as Alertmanager takes it. Made so that nothing in it can be refused: one that is would take others with it.

use super::Manner;
use super::board::{About, Notice};
use super::directory::{Step, Words};
use onus_engine::terms::Severity;
use onus_engine::time::{Millis, Moment};
use serde_json::{Map, Value, json};

/// Longest label and longest annotation, in bytes.
const LABEL: usize = 256;
const ANNOTATION: usize = 2_048;

/// As JSON, told at `now`.
pub(super) fn json(notice: &Notice<'_>, words: &Words, rung: Option<&Step>, manner: &Manner, now: Moment) -> Value {
    let under = notice.under;
    let (name, duty, subject) = match notice.about {
        About::Duty(duty, subject) => ("OnusDutyBreached", Some(duty), subject),
        About::Many(..) => ("OnusManyBreached", None, "many"),
        About::Risk(duty, subject, _) => ("OnusDutyAtRisk", Some(duty), subject),
        About::Risks(_) => ("OnusManyAtRisk", None, "many"),
    };
    let link = manner.link.as_ref().map(|link| match duty {
        None => format!("{link}/partners/{}", escaped(&under.partner)),
        Some(duty) => format!("{link}/duties/{duty}"),
    });
    let (warns, duty) = (notice.about.is_warning(), duty.map_or_else(|| "many".to_owned(), |duty| duty.to_string()));
    let loud = match rung.map_or(words.severity, |rung| rung.severity) {
        // Nobody is woken for what may still be done in time.
        Severity::Page if warns => Severity::Ticket,
        loud => loud,
    };
    let mut labels = Map::new();
    let own: [(&str, &str); 9] = [
        ("alertname", name),
        ("partner", &under.partner),
        ("obligation", &under.obligation),
        ("contract", &under.contract),
        ("control", words.control.as_deref().unwrap_or_default()),
        ("severity", severity(loud)),
        ("duty", &duty),
        ("subject", subject),
        ("clause", &under.clause),
    ];
    for (name, value) in own {
        labels.insert(name.to_owned(), label(value).into());
    }
    if let Some(rung) = rung {
        labels.insert("rung".to_owned(), rung.number.to_string().into());
    }
    for (name, value) in &manner.labels {
        labels.entry(name.clone()).or_insert_with(|| label(value).into());
    }
    // A clock that follows events may be ahead of this machine's.
    let starts = notice.starts.min(now);
    let ends = match notice.ended {
        None => Moment(now.0 + 4 * manner.resend),
        Some(ended) => ended.at.min(now).max(starts),
    };
    let mut annotations = Map::new();
    let mut say = |name: &str, text: String| {
        let text = clean(&text, ANNOTATION);
        if !text.is_empty() {
            annotations.insert(name.to_owned(), text.into());
        }
    };
    say("summary", summary(notice, subject));
    let call = rung.map_or(if warns { &words.warn } else { &words.call }, |rung| &rung.call);
    say("description", description(notice, words, call, subject, now));
    say("owed_by", words.owed_by.clone());
    say("call", call.clone());
    if let Some(ended) = notice.ended {
        say("resolution", ended.why.clone());
    }
    if let Some(link) = &link {
        say("link", link.clone());
    }
    let mut alert = json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts.to_string(),
        "endsAt": ends.to_string(),
    });
    if let Some(link) = link {
        alert["generatorURL"] = link.into();
    }
    alert
}

fn summary(notice: &Notice<'_>, subject: &str) -> String {
    let under = notice.under;
    match notice.about {
        About::Duty(..) => format!("{} has breached {} on {subject}", under.partner, under.obligation),
        About::Many(all, _) => format!("{} has breached {} on {all} subjects at once", under.partner, under.obligation),
        About::Risk(..) => format!("{} is about to breach {} on {subject}", under.partner, under.obligation),
        About::Risks(number) => {
            format!("{} is about to breach {} on {number} subjects", under.partner, under.obligation)
        }
    }
}

fn description(notice: &Notice<'_>, words: &Words, call: &str, subject: &str, now: Moment) -> String {
    let under = notice.under;
    let whose = if words.customer.is_empty() { String::new() } else { format!(" with {}", words.customer) };
    let what = match notice.about {
        About::Duty(..) | About::Risk(..) => format!("`{}` on {subject}", under.obligation),
        About::Risks(number) => format!("`{}`: {number} duties are due soon", under.obligation),
        About::Many(all, stand) => {
            format!("`{}`: {all} duties were breached within a minute, {stand} of them stand", under.obligation)
        }
    };
    let clause = if under.clause.is_empty() { String::new() } else { format!(", clause {}", under.clause) };
    let late = match (notice.ended, notice.about) {
        (Some(ended), About::Risk(..) | About::Risks(_)) => ended.why.clone(),
        (None, About::Risk(_, _, due)) => format!("Due {due}, {} left when this was sent.", length(due.0 - now.0)),
        (None, About::Risks(_)) => "Little of their limits was left when this was sent.".to_owned(),
        (None, _) => format!("Due {}, {} late when this was sent.", notice.starts, length(now.0 - notice.starts.0)),
        (Some(ended), _) => format!("It was due {} and ended {}. {}", notice.starts, ended.at, ended.why),
    };
    let owed = if words.owed_by.is_empty() { String::new() } else { format!(" Owed by {}.", words.owed_by) };
    let call = match notice.ended {
        None if !call.is_empty() => format!(" Call {call}."),
        _ => String::new(),
    };
    format!("{}: {what}. {late}{owed}{call} Contract {}{whose}{clause}.", under.partner, under.contract)
}

/// The contract's word as Alertmanager's routes know it.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "critical",
        Severity::Ticket => "warning",
        Severity::Note => "info",
    }
}

/// So long, for people: two units at most.
fn length(milliseconds: Millis) -> String {
    let minutes = milliseconds.max(0) / 60_000;
    let (days, hours, left) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match () {
        () if minutes == 0 => "less than a minute".to_owned(),
        () if minutes == 1 => "1 minute".to_owned(),
        () if minutes < 120 => format!("{minutes} minutes"),
        () if days == 0 => format!("{hours} h {left} min"),
        () => format!("{days} d {hours} h"),
    }
}

/// A label is never empty: Alertmanager would drop it, and two alerts would become one.
fn label(value: &str) -> String {
    let value = clean(value, LABEL);
    if value.is_empty() { "none".to_owned() } else { value }
}

/// Without what nobody sees, and not too long.
fn clean(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = plain.trim();
    if plain.len() <= most {
        return plain.to_owned();
    }
    let mut to = most - 3;
    while !plain.is_char_boundary(to) {
        to -= 1;
    }
    format!("{}...", &plain[..to])
}

/// As a part of an address.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            shown.push_str(&format!("%{byte:02X}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_empty_or_long_and_nothing_unseen_is_in_it() {
        assert_eq!(label(""), "none");
        assert_eq!(label(" \n"), "none");
        assert_eq!(label("a\u{0}b"), "a b");
        let long = label(&"ä".repeat(400));
        assert!(long.len() <= LABEL && long.ends_with("..."));
    }

    #[test]
    fn lengths_are_said_in_two_units_at_most() {
        let said = [0, 59_999, 60_000, 7_140_000, 7_200_000, 90_000_000].map(length);
        assert_eq!(
            said,
            ["less than a minute", "less than a minute", "1 minute", "119 minutes", "2 h 0 min", "1 d 1 h"]
        );
    }
}
