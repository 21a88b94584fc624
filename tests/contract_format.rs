//! The canonical form: what a contract says does not change, no comment is lost, and the form is its own form.

#[path = "support/tree.rs"]
mod tree;

use onus::contract::{Unformatted, format, parse};
use proptest::prelude::*;
use std::path::Path;

const FULL: &str = include_str!("contracts/full.yaml");

fn form(text: &str) -> String {
    format(text, "c.yaml").unwrap_or_else(|why| panic!("{why}\n{text}"))
}

#[track_caller]
fn becomes(before: &str, after: &str) {
    assert_eq!(form(before), after, "\n{}", form(before));
    assert_eq!(form(after), after, "the form of the form\n{}", form(after));
}

#[test]
fn keys_stand_in_reading_order() {
    becomes(
        "obligations:\n- within: 4h\n  do: {where: {a: b}, event: ticket.resolved}\n  when: ticket.opened\n  clause: \"4.2\"\n  id: restore\ncustomer: bank\ncontract: acme\n",
        "contract: acme\ncustomer: bank\nobligations:\n  - id: restore\n    clause: \"4.2\"\n    when: ticket.opened\n    do: {event: ticket.resolved, where: {a: b}}\n    within: 4h\n",
    );
}

#[test]
fn what_the_author_names_stays_in_the_author_s_order() {
    let rows = "obligations:\n  - when: change.executed\n    requires:\n      depends-on: privileged\n      table:\n        true: {event: change.approved, by: customer}\n        false: change.approved\n";
    becomes(rows, rows);
    becomes(
        "values: {z: 1h, a: 2h}\nroles: {partner.z: b, customer.a: c}\n",
        "values: {z: 1h, a: 2h}\nroles: {partner.z: b, customer.a: c}\n",
    );
    becomes(
        "obligations: [{within: {P2: {must: 1h}, P1: 4h}, id: a}]\n",
        "obligations: [{id: a, within: {P2: {must: 1h}, P1: 4h}}]\n",
    );
}

#[test]
fn keys_in_the_rows_of_a_table_are_in_order_too() {
    becomes(
        "obligations:\n  - requires: {table: {true: {by: customer, event: change.approved}}, depends-on: privileged}\n",
        "obligations:\n  - requires: {depends-on: privileged, table: {true: {event: change.approved, by: customer}}}\n",
    );
}

#[test]
fn a_comment_goes_with_what_it_speaks_of() {
    becomes(
        "# The file's own.\n\n# of the customer\ncustomer: bank   # tail\n# of the contract\ncontract: acme\n",
        "# The file's own.\n\n# of the contract\ncontract: acme\n\n# of the customer\ncustomer: bank  # tail\n",
    );
    becomes(
        "obligations:   # head\n  # of a\n  - id: a # beside\n    # within comes later\n    within: 4h\n    # when\n    when: x\n    # the end of a\n  # of b\n  - id: b\n# the end\n",
        "obligations:  # head\n  # of a\n  - id: a  # beside\n    # when\n    when: x\n    # within comes later\n    within: 4h\n    # the end of a\n  # of b\n  - id: b\n# the end\n",
    );
}

#[test]
fn what_leads_the_first_key_of_an_item_stands_above_its_dash() {
    becomes(
        "obligations:\n  - # first\n    within: 4h\n    # then\n    id: a\n",
        "obligations:\n  # first\n  # then\n  - id: a\n    within: 4h\n",
    );
}

#[test]
fn braces_stay_where_they_fit_and_open_where_they_do_not() {
    let long = "x".repeat(60);
    becomes(
        &format!("roles: {{customer.a: {long}, customer.b: {long}}}  # people\n"),
        &format!("roles:  # people\n  customer.a: {long}\n  customer.b: {long}\n"),
    );
    becomes("values: {a: 1h,\n  b: 2h}\n", "values: {a: 1h, b: 2h}\n");
    becomes(
        "values: {a: 1h, # one\n  # two\n  b: 2h\n  # last\n  }\n",
        "values:\n  a: 1h  # one\n  # two\n  b: 2h\n  # last\n",
    );
    becomes("holidays: {}\nyields-to: []\n", "yields-to: []\nholidays: {}\n");
}

#[test]
fn quotes_are_double_and_stay_where_they_are() {
    becomes(
        "'contract': 'acme'\nvalues: {'yes': 'a\"b', \"plain\": \"1.10\", 'it': 'it''s', c: '\\d'}\n",
        "contract: \"acme\"\nvalues: {\"yes\": 'a\"b', plain: \"1.10\", it: \"it's\", c: '\\d'}\n",
    );
}

#[test]
fn text_over_several_lines_keeps_its_lines() {
    becomes(
        "obligations:\n- says: The Provider\n     resolves.\n  id: a   # tail\n- id: b\n  says: |   # literal\n       One\n         two\n\n       three\n  clause: \"1\"\n- says: >-\n    fold\n    it\n  id: \"c\n    d\"\n",
        "obligations:\n  - id: a  # tail\n    says: The Provider\n      resolves.\n  - id: b\n    clause: \"1\"\n    says: |   # literal\n      One\n        two\n\n      three\n  - id: \"c\n      d\"\n    says: >-\n      fold\n      it\n",
    );
}

#[test]
fn empty_lines_are_one_at_most_and_none_before_the_first() {
    becomes(
        "contract: a\n\n\n\nobligations:\n\n  - id: a\n\n\n  - id: b\n\n",
        "contract: a\n\nobligations:\n  - id: a\n\n  - id: b\n",
    );
}

#[test]
fn line_ends_tabs_marks_and_a_byte_order_mark_mean_nothing() {
    becomes("\u{feff}---\r\ncontract: a\t# tab\r\nzone: UTC\r\n...\r\n", "contract: a  # tab\nzone: UTC\n");
}

#[test]
fn lists_of_lists_and_json_are_kept() {
    becomes("obligations:\n- - a\n  - b\n-\n  - c\n", "obligations:\n  - - a\n    - b\n  - - c\n");
    becomes("{\"zone\": \"UTC\", \"contract\": \"a\"}", "contract: \"a\"\nzone: \"UTC\"\n");
    becomes("values: {a}\nevents: [b: c]\n", "values: {a: }\nevents: [{b: c}]\n");
}

#[test]
fn a_hash_in_a_text_is_no_comment() {
    becomes("values: {a: \"b # c\", d: e#f}  # g\n", "values: {a: \"b # c\", d: e#f}  # g\n");
    becomes(
        "obligations:\n  - says: |\n      # words\n    id: a\n",
        "obligations:\n  - id: a\n    says: |\n      # words\n",
    );
}

#[test]
fn what_cannot_be_kept_is_left_as_it_is() {
    for text in ["obligations:\n  - says: |+\n      a\n\n    id: b\n", "values:\n  a: |2\n     b\n", "words\n"] {
        assert!(matches!(format(text, "c.yaml"), Err(Unformatted::NotKept { .. })), "{text}");
    }
    assert!(matches!(format("a: [1\n", "c.yaml"), Err(Unformatted::Problems(_))));
    assert!(matches!(format("a: 1\na: 2\n", "c.yaml"), Err(Unformatted::Problems(_))));
}

#[test]
fn the_terms_are_the_same_before_and_after() {
    for text in
        [FULL, include_str!("../examples/w1/w1.yaml"), include_str!("../examples/demo/contracts/halden-pam.yaml")]
    {
        let terms = |text: &str| format!("{:#?}", parse(text, "c.yaml").expect("a contract"));
        assert_eq!(terms(text), terms(&form(text)));
    }
}

#[test]
fn examples_are_in_their_form() {
    for folder in ["examples/demo/contracts", "examples/w1"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let text = std::fs::read_to_string(&path).expect("text");
                assert_eq!(form(&text), text, "{}", path.display());
            }
        }
    }
}

/// A little of everything.
const SMALL: &str = "\
contract: acme
partner: [quay-ops, \"berth-*\"]
customer: harbour
effective: 2026-01-01T00:00:00+01:00
zone: Europe/Amsterdam
values: {undue: 24h, class: big}
holidays:
  nl: {2026-12-25: Christmas Day, 2026-12-26: Second Christmas Day}

obligations:
  - id: report
    clause: Art 5
    says: A named person
      answers.
    when: {event: incident.classified, where: {rating: '*'}, pick: latest}
    do: {in-order: [incident.notified, {event: incident.reported, trust: verified}]}
    within:
      - {depends-on: [$class, rating], table: {big: {1: 1 month, 2: $undue}, \"*\": {1: 2 weeks}}}
      - must: 3 days
        should: 1 day

  - id: after
    clause: \"6\"
    says: |
      Words of
        the clause.
    when: {done: report}
    do: {all: [notice.given, review.completed]}
    within: by 15 April
";

#[test]
fn the_little_of_everything_loads() {
    assert!(parse(SMALL, "c.yaml").is_ok(), "{:?}", parse(SMALL, "c.yaml"));
}

/// The contract with comments and empty lines put between its lines and at their ends, and lines moved.
fn commented() -> impl Strategy<Value = String> {
    let remark = prop_oneof![
        Just("# a remark".to_owned()),
        Just("  # deeper".to_owned()),
        Just("      # deeper still".to_owned()),
        Just(String::new()),
        Just(" # tail".to_owned()),
        "#[ -~]{0,12}",
    ];
    prop::collection::vec((any::<prop::sample::Index>(), remark, 0u8..3), 1..12).prop_map(|edits| {
        let mut lines: Vec<String> = SMALL.lines().map(str::to_owned).collect();
        for (at, remark, how) in edits {
            let at = at.index(lines.len());
            match how {
                0 => lines.insert(at, remark),
                1 => lines[at] = format!("{} {remark}", lines[at]),
                // A comment in the middle of braces opens them.
                _ => lines[at] = lines[at].replacen(", ", &format!(", {remark}\n                "), 1),
            }
        }
        lines.join("\n")
    })
}

/// Lines of a contract in another order, and pieces of YAML anywhere.
fn mangled() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("- ".to_owned()),
        Just("# c".to_owned()),
        Just("|\n".to_owned()),
        Just("'".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just(": ".to_owned()),
        "\\PC{1,3}",
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, piece), 1..5).prop_map(|edits| {
        let mut text: Vec<char> = SMALL.chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

/// Words of every comment, in any order.
fn comments(text: &str) -> usize {
    text.matches('#').count()
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    let Ok(once) = format(text, "c.yaml") else { return Ok(()) };
    let twice = format(&once, "c.yaml").map_err(|why| TestCaseError::fail(format!("{why}\n{text}\n=>\n{once}")))?;
    prop_assert_eq!(&once, &twice, "{}", text);
    prop_assert_eq!(comments(text), comments(&once), "{}", text);
    let terms = |text: &str| parse(text, "c.yaml").map(|terms| format!("{terms:?}")).ok();
    prop_assert_eq!(terms(text), terms(&once), "{}", text);
    // Another reader sees the same values.
    if let Some(value) = tree::json(text) {
        prop_assert_eq!(Some(value), tree::json(&once), "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_contract_with_remarks_keeps_them_and_its_terms(text in commented()) {
        let refused = matches!(format(&text, "c.yaml"), Err(Unformatted::NotKept { .. }));
        prop_assert!(!refused, "{}", text);
        holds(&text)?;
    }

    #[test]
    fn whatever_is_formatted_keeps_what_it_says(text in mangled()) {
        holds(&text)?;
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\PC\\n\\t:,{}\\[\\]#|>'\"-]{0,120}") {
        holds(&text)?;
    }
}
