//! Each claim is one question or a few.
#![allow(clippy::unwrap_used)]

use super::*;
use onus_engine::calendar::{Spec, Window};
use onus_engine::time::{Millis, SECOND};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn office() -> Calendar {
    let day = vec![Window { from: 9 * 60, to: 17 * 60 }];
    Calendar::new(Spec {
        zone: chrono_tz::Europe::Amsterdam,
        hours: [day.clone(), day.clone(), day.clone(), day.clone(), day, Vec::new(), Vec::new()],
        breaks: Default::default(),
        dated_breaks: BTreeMap::new(),
        holidays: BTreeMap::new(),
        worked: BTreeMap::new(),
    })
}

fn ask(line: &str) -> Value {
    let named = [("office".to_string(), office()), ("never".to_string(), Calendar::any(chrono_tz::UTC, Vec::new()))];
    let inline = |block: &Value| match block.get("zone") {
        Some(_) => Ok(office()),
        None => Err("`zone` is missing: add it".to_string()),
    };
    answer_line(line, &named, &inline)
}

fn answered(line: &str, result: Value) {
    assert_eq!(ask(line), json!({ "result": result }), "{line}");
}

fn refused(line: &str, sentence: &str) {
    let answer = ask(line);
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("{line} was answered: {answer}"));
    assert!(error.contains(sentence), "{line}: {error}");
    assert_eq!(answer.as_object().unwrap().len(), 1);
}

#[test]
fn add_and_sub_answer_an_instant_in_utc() {
    let due = json!("2026-01-06T08:30:00.000Z");
    answered(r#"{"calendar":"office","op":"add","at":"2026-01-05T16:00:00+01:00","seconds":5400}"#, due.clone());
    answered(r#"{"calendar":"office","op":"sub","at":"2026-01-06T09:00:00Z","seconds":1800}"#, due.clone());
    answered(r#"{"calendar":"office","op":"sub","at":"2026-01-05T15:00:00Z","seconds":-5400}"#, due.clone());
    answered(
        r#"{"calendar":{"zone":"Europe/Amsterdam"},"op":"sub","at":"2026-01-06T09:00:00Z","seconds":1800.0}"#,
        due,
    );
    answered(
        r#"{"calendar":"office","op":"add","at":"2026-01-05T15:59:59.999Z","seconds":0.002}"#,
        json!("2026-01-06T08:00:00.001Z"),
    );
}

#[test]
fn no_opening_is_null() {
    answered(r#"{"calendar":"never","op":"add","at":"2026-01-05T16:00:00Z","seconds":1}"#, Value::Null);
}

#[test]
fn between_answers_seconds_whole_where_they_are() {
    let between =
        |to: &str| format!(r#"{{"calendar":"office","op":"between","at":"2026-01-05T15:00:00Z","to":"{to}"}}"#);
    assert_eq!(ask(&between("2026-01-06T09:00:00Z")).to_string(), r#"{"result":7200}"#);
    assert_eq!(ask(&between("2026-01-05T15:00:00.001Z")).to_string(), r#"{"result":0.001}"#);
    assert_eq!(ask(&between("2026-01-05T14:59:58.900Z")).to_string(), r#"{"result":-1.1}"#);
    let all = r#"{"calendar":"24x7","op":"between","at":"0000-01-01T00:00:00Z","to":"9999-12-31T23:59:59.999Z"}"#;
    assert_eq!(ask(all).to_string(), r#"{"result":315569519999.999}"#);
}

#[test]
fn is_open_answers_yes_or_no() {
    answered(r#"{"calendar":"office","op":"is_open","at":"2026-01-05T08:00:00Z"}"#, json!(true));
    answered(r#"{"calendar":"office","op":"is_open","at":"2026-01-05T16:00:00Z"}"#, json!(false));
}

#[test]
fn intervals_are_clipped_pairs() {
    answered(
        r#"{"calendar":"office","op":"intervals","at":"2026-01-05T12:00:00Z","to":"2026-01-06T09:00:00Z"}"#,
        json!([
            ["2026-01-05T12:00:00.000Z", "2026-01-05T16:00:00.000Z"],
            ["2026-01-06T08:00:00.000Z", "2026-01-06T09:00:00.000Z"]
        ]),
    );
    answered(
        r#"{"calendar":"office","op":"intervals","at":"2026-01-05T12:00:00Z","to":"2026-01-05T12:00:00Z"}"#,
        json!([]),
    );
}

#[test]
fn around_the_clock_needs_no_definition() {
    answered(
        r#"{"calendar":"24x7","op":"add","at":"2026-01-05T16:00:00Z","seconds":1}"#,
        json!("2026-01-05T16:00:01.000Z"),
    );
    let own = [("24x7".to_string(), office())];
    let asked = r#"{"calendar":"24x7","op":"is_open","at":"2026-01-04T12:00:00Z"}"#;
    assert_eq!(answer_line(asked, &own, &|_| Err(String::new())), json!({ "result": false }), "unless it has one");
}

#[test]
fn what_is_misspelt_is_answered_with_the_nearest() {
    refused(r#"{"calendar":"ofice","op":"is_open","at":"2026-01-05T08:00:00Z"}"#, "did you mean `office`?");
    refused(
        r#"{"calendar":"mars","op":"is_open","at":"2026-01-05T08:00:00Z"}"#,
        "there is `office`, `never` and `24x7`",
    );
    refused(r#"{"calendar":"office","op":"is-open","at":"2026-01-05T08:00:00Z"}"#, "did you mean `is_open`?");
    refused(
        r#"{"calendar":"office","op":"divide","at":"2026-01-05T08:00:00Z"}"#,
        "`between`, `is_open` and `intervals`",
    );
    refused(r#"{"calender":"office","op":"is_open","at":"2026-01-05T08:00:00Z"}"#, "did you mean `calendar`?");
}

#[test]
fn what_is_missing_or_too_much_is_named() {
    refused(r#"{"op":"is_open","at":"2026-01-05T08:00:00Z"}"#, "`calendar` is missing");
    refused(r#"{"calendar":"office","at":"2026-01-05T08:00:00Z"}"#, "`op` is missing");
    refused(r#"{"calendar":"office","op":"is_open"}"#, "`at` is missing");
    refused(r#"{"calendar":"office","op":"between","at":"2026-01-05T08:00:00Z"}"#, "`to` is missing");
    refused(r#"{"calendar":"office","op":"add","at":"2026-01-05T08:00:00Z"}"#, "`seconds` is missing");
    refused(
        r#"{"calendar":"office","op":"is_open","at":"2026-01-05T08:00:00Z","seconds":1}"#,
        "`is_open` takes no `seconds`: give `calendar`, `op` and `at`",
    );
    refused(r#"{"calendar":"office","op":"add","op":"sub"}"#, "`op` is given twice");
}

#[test]
fn a_wrong_type_is_refused() {
    for line in ["", "[]", "1", "null", "{", r#"{"op":}"#, r#""add""#] {
        refused(line, "this is no question");
    }
    refused(r#"{"calendar":7,"op":"is_open","at":"2026-01-05T08:00:00Z"}"#, "`calendar` must be a name, or a block");
    refused(r#"{"calendar":{},"op":"is_open","at":"2026-01-05T08:00:00Z"}"#, "in `calendar`: `zone` is missing");
    refused(r#"{"calendar":"office","op":1,"at":"2026-01-05T08:00:00Z"}"#, "`op` must be text");
    refused(r#"{"calendar":"office","op":"is_open","at":1767600000}"#, "`at` must be text");
    refused(
        r#"{"calendar":"office","op":"add","at":"2026-01-05T08:00:00Z","seconds":"60"}"#,
        "`seconds` must be a number",
    );
    refused(
        r#"{"calendar":"office","op":"add","at":"2026-01-05T08:00:00Z","seconds":null}"#,
        "`seconds` must be a number",
    );
}

#[test]
fn an_instant_needs_an_offset_and_must_exist() {
    for at in ["2026-01-05T08:00:00", "2026-02-30T08:00:00Z", "yesterday", ""] {
        refused(&format!(r#"{{"calendar":"office","op":"is_open","at":"{at}"}}"#), "`at` is no instant");
    }
}

#[test]
fn a_range_is_given_forwards_and_within_ten_years() {
    let ask = |to: &str| format!(r#"{{"calendar":"office","op":"intervals","at":"2026-01-05T08:00:00Z","to":"{to}"}}"#);
    refused(&ask("2026-01-04T08:00:00Z"), "`to` lies before `at`");
    refused(&ask("2037-01-04T08:00:00Z"), "ten years");
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    refused(r#"{"calendar":"24x7","op":"add","at":"9999-12-31T23:59:59Z","seconds":1}"#, "outside the years 0 to 9999");
    refused(r#"{"calendar":"24x7","op":"sub","at":"0000-01-01T00:00:00Z","seconds":1}"#, "outside the years 0 to 9999");
}

#[test]
fn a_question_already_read_gets_the_same_answer() {
    let question = json!({"calendar": "24x7", "op": "add", "at": "2026-01-05T16:00:00Z", "seconds": 0.1});
    assert_eq!(answer(&question, &[], &|_| Err(String::new())), json!({"result": "2026-01-05T16:00:00.100Z"}));
}

#[test]
fn seconds_are_read_as_written() {
    for (text, ms) in [
        ("0", 0),
        ("-0", 0),
        ("0.0000000", 0),
        ("0e999999999999999999999", 0),
        ("1", 1_000),
        ("-1.5", -1_500),
        ("0.001", 1),
        ("0.29", 290),
        ("1.0010000", 1_001),
        ("1e3", 1_000_000),
        ("1E+3", 1_000_000),
        ("15e-1", 1_500),
        ("1000e-6", 1),
        ("9999999999.999", 9_999_999_999_999),
        ("0.00000001e9", 10_000),
        ("1e0", 1_000),
    ] {
        assert_eq!(seconds::millis(text), Ok(ms), "{text}");
    }
    for text in ["0.0001", "1.0000000000000000001", "1e-4", "1e-99999999999999999999", "-0.00050"] {
        assert!(seconds::millis(text).is_err_and(|error| error.contains("too fine")), "{text}");
    }
    for text in ["1e11", "100000000000", "1e99999999999999999999", "-1e300", "123456789012345678901234567890"] {
        assert!(seconds::millis(text).is_err_and(|error| error.contains("too large")), "{text}");
    }
}

proptest! {
    #[test]
    fn any_line_gets_one_answer(line in ".{0,80}") {
        let answer = ask(&line);
        prop_assert_eq!(answer.as_object().unwrap().len(), 1);
    }

    #[test]
    fn seconds_come_back_as_they_were(ms in -9_999_999_999_999i64..=9_999_999_999_999) {
        prop_assert_eq!(seconds::millis(&seconds::shown(ms).to_string()), Ok(ms));
    }

    #[test]
    fn lengths_add_up_to_the_millisecond(ms in 0i64..100_000_000) {
        let d: Millis = ms;
        let text = format!("{}.{:03}", d / SECOND, d % SECOND);
        let line = format!(r#"{{"calendar":"office","op":"add","at":"2026-01-05T08:00:00Z","seconds":{text}}}"#);
        let due = office().add(Moment::parse("2026-01-05T08:00:00Z").unwrap(), d).unwrap();
        prop_assert_eq!(ask(&line), json!({ "result": due.to_string() }));
    }
}
