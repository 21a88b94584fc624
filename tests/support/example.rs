//! Examples of the explanations, made whole.

/// A sound contract, by its top-level keys.
const SOUND: &[(&str, &str)] = &[
    ("contract", "contract: acme-pam\n"),
    ("partner", "partner: acme\n"),
    ("customer", "customer: bank\n"),
    ("effective", "effective: 2026-01-01T00:00:00Z\n"),
    ("zone", "zone: Europe/Amsterdam\n"),
    ("calendars", "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}\n"),
    (
        "obligations",
        "obligations:\n  - {id: acknowledge, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 15min}\n",
    ),
];

/// A sound mapper, by its top-level keys.
const MAPPER: &[(&str, &str)] = &[
    ("mapper", "mapper: reviews\n"),
    ("id", "id: id\n"),
    ("type", "type: review.completed\n"),
    ("time", "time: done_at\n"),
    ("subject", "subject: number\n"),
    ("partner", "partner: {fixed: acme}\n"),
    ("examples", "examples: [{name: a tombstone, records: [{value: null, skips: tombstone}]}]\n"),
];

/// An example with the rest of a sound mapper around it.
#[allow(dead_code)]
pub(crate) fn whole_mapper(example: &str) -> String {
    let has = |key: &str| example.lines().any(|line| line.starts_with(&format!("{key}:")));
    let wanted = |key: &str| !has(key) && (key != "type" || !has("state"));
    let rest: String = MAPPER.iter().filter(|(key, _)| wanted(key)).map(|(_, line)| *line).collect();
    // Without examples is one of the examples.
    let example = if example == "examples: null" { "" } else { example };
    format!("{rest}{example}\n")
}

/// An example with the rest of a sound contract around it.
pub(crate) fn whole(example: &str) -> String {
    let example = if example.starts_with("- ") {
        let lines: Vec<String> = example.lines().map(|line| format!("  {line}")).collect();
        format!("obligations:\n{}", lines.join("\n"))
    } else {
        example.to_owned()
    };
    let has = |key: &str| example.lines().any(|line| line.starts_with(&format!("{key}:")));
    let wanted = |key: &str| !has(key) && (key != "calendars" || example.contains("office"));
    let rest: String = SOUND.iter().filter(|(key, _)| wanted(key)).map(|(_, lines)| *lines).collect();
    format!("{rest}{example}\n")
}
