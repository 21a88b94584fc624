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
