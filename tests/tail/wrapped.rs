//! Lines that are wrapped in something.

use crate::ear::{Ear, Place};

/// `{"a":1}` and `{"b":2}`, a line each: by gzip, in base64.
const PACKED: &str = "H4sIAAAAAAAC/6tWSlSyMqzlqlZKUrIyquUCAMiyzp8QAAAA";

#[test]
fn lines_are_taken_out_of_what_they_are_wrapped_in_and_found_again_by_what_lies_there() {
    let deleted = r#"{"op":"d","source":{},"before":{"n":1},"after":null}"#;
    let changed = r#"{"op":"u","source":{"t":1},"before":null,"after":{"n":2}}"#;
    let place = Place::of(&format!("plain\n{deleted}\n{changed}\n{PACKED}\n"));
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["plain", r#"{"n":2}"#, r#"{"a":1}"#, r#"{"b":2}"#]);
    ear.until_caught_up();
    assert_eq!(ear.passed.iter().map(|(why, n)| (*why, *n)).collect::<Vec<_>>(), [("deleted-row", 1)]);
    let places: Vec<(u64, u64)> = ear.got.iter().map(|got| (got.offset, got.next)).collect();
    assert_eq!(places[2].0, places[2].1, "of several records of one line only the last goes on");
    assert_eq!(places[3].1, std::fs::metadata(&place.path).expect("the file").len());
    // Another life finds the line itself, whatever was made of it; one that tells nothing is read once more.
    let from = ear.stop();
    place.add(&format!("{deleted}\n"));
    let mut again = Ear::on(&place.path, true, Some(from));
    again.until_caught_up();
    assert_eq!((again.texts().len(), again.passed.len()), (0, 1), "{:?}", again.said);
    assert!(again.said.is_empty(), "{:?}", again.said);
}

#[test]
fn a_line_whose_wrapping_is_damaged_is_a_dead_letter_and_says_where() {
    let place = Place::of("AwA6OmdsdWU6OjpnbHVlOjo6cm93cw==\nplain\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until("both", |ear| ear.got.len() == 2);
    assert_eq!(ear.wrong.len(), 1);
    assert!(ear.wrong[0].starts_with("GlueFrame: the line at 0: "), "{:?}", ear.wrong);
}
