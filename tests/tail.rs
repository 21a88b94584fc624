//! Files that grow: every record once and in order, however they are written, put aside or cut.

#[path = "tail/ear.rs"]
mod ear;
#[path = "tail/wrapped.rs"]
mod wrapped;

use ear::{Ear, LONGEST, Place};
use onus::ingest::tail::Start;
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

#[test]
fn what_is_appended_is_heard_with_its_place() {
    let place = Place::of("a\nbc\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "bc"]);
    ear.until_caught_up();
    place.add("\n  \r\ndef\n");
    ear.until_texts(&["a", "bc", "def"]);
    let places: Vec<(u64, u64)> = ear.got.iter().map(|got| (got.offset, got.next)).collect();
    assert_eq!(places, [(0, 2), (2, 5), (10, 14)]);
    assert!(ear.said.is_empty(), "{:?}", ear.said);
}

#[test]
fn a_torn_last_line_waits_and_so_does_the_frontier() {
    let place = Place::of("a\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_caught_up();
    place.add("half");
    std::thread::sleep(Duration::from_millis(100));
    ear.quiet();
    let before = ear.caught_up;
    std::thread::sleep(Duration::from_millis(1200));
    ear.quiet();
    assert_eq!((ear.texts(), ear.caught_up), (vec!["a"], before));
    place.add(" and half\n");
    ear.until_texts(&["a", "half and half"]);
    ear.until_caught_up();
}

#[test]
fn a_file_that_does_not_grow_ends_with_its_last_line() {
    let place = Place::of("a\nb");
    let mut ear = Ear::on(&place.path, false, None);
    ear.until_said("ended");
    assert_eq!((ear.texts(), ear.caught_up), (vec!["a", "b"], 1));
    let from = ear.stop();
    let mut again = Ear::on(&place.path, false, Some(from));
    again.until_said("ended");
    assert!(again.got.is_empty());
}

#[test]
fn another_life_goes_on_where_the_first_one_stopped() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    let from = ear.stop();
    place.add("c\n");
    let mut ear = Ear::on(&place.path, true, Some(from));
    ear.until_texts(&["c"]);
    assert_eq!(ear.got[0].offset, 4);
}

#[test]
fn a_long_line_is_cut_and_its_length_told() {
    let long = "x".repeat(LONGEST + 10);
    let place = Place::of(&format!("a\n{long}\nb\n"));
    let mut ear = Ear::on(&place.path, true, None);
    ear.until("three", |ear| ear.got.len() == 3);
    assert_eq!(ear.got[1].text.len(), LONGEST);
    assert_eq!(ear.got[1].cut, Some(LONGEST as u64 + 10));
    assert_eq!((ear.got[2].text.as_str(), ear.got[2].cut), ("b", None));
    // A position right after a cut record is found again.
    let cut = &ear.got[1];
    let from = Start { incarnation: cut.incarnation.clone(), next: cut.next, last: cut.last };
    let mut again = Ear::on(&place.path, true, Some(from));
    again.until_texts(&["b"]);
}

#[test]
fn a_file_renamed_while_it_is_read_is_read_to_its_end_first() {
    let place = Place::of("a\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a"]);
    // The writer holds the old file for a while.
    let mut writer = OpenOptions::new().append(true).open(&place.path).expect("open");
    place.rename(".1");
    writer.write_all(b"b\n").expect("written");
    ear.until_said("trouble: ");
    place.add("d\n");
    writer.write_all(b"c\n").expect("written");
    ear.until_texts(&["a", "b", "c", "d"]);
    assert_ne!(ear.got[2].incarnation, ear.got[3].incarnation);
    assert_eq!(ear.got[3].offset, 0);
    ear.until_said("fine");
    ear.until_caught_up();
}

#[test]
fn a_file_renamed_while_nobody_looked_is_found_by_its_number() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    let from = ear.stop();
    place.add("c\n");
    place.rename(".2");
    std::thread::sleep(Duration::from_millis(30));
    // Twice, and compressed the second time.
    place.add("d\n");
    place.rename(".1");
    place.pack(".1", ".1.gz");
    place.add("e\n");
    fs::write(place.beside(".lock"), "not an event\n").expect("written");
    let mut ear = Ear::on(&place.path, true, Some(from));
    ear.until_texts(&["c", "d", "e"]);
    ear.until_caught_up();
    // What was put aside in between is not read again by a third life.
    let from = ear.stop();
    place.add("f\n");
    let mut ear = Ear::on(&place.path, true, Some(from));
    ear.until_texts(&["f"]);
}

#[test]
fn a_file_compressed_while_nobody_looked_is_found_by_what_was_read_last() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    let from = ear.stop();
    place.add("c\n");
    place.rename(".1");
    place.pack(".1", "-20260301.gz");
    place.add("d\n");
    let mut ear = Ear::on(&place.path, true, Some(from));
    ear.until_texts(&["c", "d"]);
}

#[test]
fn a_file_compressed_while_it_is_left_is_not_read_again() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    place.rename(".1");
    std::thread::sleep(Duration::from_millis(20));
    place.pack(".1", ".1.gz");
    place.add("c\n");
    ear.until_texts(&["a", "b", "c"]);
    ear.quiet();
    assert_eq!(ear.texts(), ["a", "b", "c"]);
}

#[test]
fn a_file_copied_and_cut_back_is_read_on_in_the_copy() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    let first = ear.got[0].incarnation.clone();
    place.copy_truncate(".1");
    place.add("c\n");
    ear.until_texts(&["a", "b", "c"]);
    // The same file, and yet its positions begin anew.
    assert_eq!((ear.got[2].offset, ear.got[2].incarnation.clone()), (0, format!("{first}#1")));
    let from = ear.stop();
    // While nobody looks, and grown beyond the old position.
    place.add("d\n");
    place.copy_truncate(".1");
    place.add("eeeeeeeeeeeeeeeeeeeeeeeeeee\n");
    let mut ear = Ear::on(&place.path, true, Some(from));
    ear.until_texts(&["d", "eeeeeeeeeeeeeeeeeeeeeeeeeee"]);
    assert_eq!(ear.got[1].incarnation, format!("{first}#2"));
}

#[test]
fn a_file_cut_back_without_a_copy_halts_and_says_what_to_do() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    fs::write(&place.path, "c\n").expect("written");
    let why = ear.until_said("halted: ");
    assert!(why.contains("up to byte 4"), "{why}");
    assert!(why.contains("another name in the settings"), "{why}");
    assert_eq!(ear.texts(), ["a", "b"]);
}

#[test]
fn something_else_under_the_name_halts() {
    let place = Place::of("a\nb\n");
    let mut ear = Ear::on(&place.path, true, None);
    ear.until_texts(&["a", "b"]);
    let from = ear.stop();
    // The same file with the same length.
    fs::write(&place.path, "a\nx\nmore\n").expect("written");
    Ear::on(&place.path, true, Some(from.clone())).until_said("halted: ");
    // Another file.
    fs::rename(&place.path, place.beside(".old")).expect("renamed");
    fs::write(&place.path, "y\n").expect("written");
    Ear::on(&place.path, true, Some(from.clone())).until_said("halted: ");
    // Something that was no file.
    let from = Start { incarnation: "stdin".to_owned(), ..from };
    let why = Ear::on(&place.path, true, Some(from)).until_said("halted: ");
    assert!(why.contains("no file"), "{why}");
}

#[test]
fn what_cannot_be_read_yet_is_tried_again() {
    let place = Place::new();
    let mut ear = Ear::on(&place.path, true, None);
    let why = ear.until_said("trouble: ");
    assert!(why.contains("events.jsonl") && why.ends_with("it is tried again"), "{why}");
    place.add("a\n");
    ear.until_texts(&["a"]);
    ear.until_said("fine");
    ear.quiet();
    assert_eq!(ear.said.len(), 2, "{:?}", ear.said);
}

#[test]
fn folders_and_pipes_are_refused() {
    let place = Place::new();
    fs::create_dir(&place.path).expect("made");
    assert!(Ear::on(&place.path, true, None).until_said("halted: ").contains("folder"));
    let why = Ear::on(Path::new("/dev/null"), true, None).until_said("halted: ");
    assert!(why.contains("standard input"), "{why}");
}

#[test]
fn compressed_files_are_read_once_and_gone_on_with() {
    let place = Place::of("a\nb\nc\n");
    place.rename(".plain");
    place.pack(".plain", ".packed");
    let path = place.beside(".packed");
    assert!(Ear::on(&path, true, None).until_said("halted: ").contains("follow = false"));
    let mut ear = Ear::on(&path, false, None);
    ear.until_said("ended");
    assert_eq!(ear.texts(), ["a", "b", "c"]);
    let second = &ear.got[1];
    let from = Start { incarnation: second.incarnation.clone(), next: second.next, last: second.last };
    let mut again = Ear::on(&path, false, Some(from.clone()));
    again.until_said("ended");
    assert_eq!(again.texts(), ["c"]);
    Ear::on(&path, false, Some(Start { last: 5, ..from })).until_said("halted: ");
    // Cut off.
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() - 9]).expect("written");
    let why = Ear::on(&path, false, None).until_said("halted: ");
    assert!(why.contains("cut off or damaged"), "{why}");
}

#[test]
fn much_comes_in_pieces_and_waits_for_whoever_is_slow() {
    let line = "y".repeat(999);
    let count = 12_000;
    let place = Place::of(&format!("{line}\n").repeat(count));
    let mut ear = Ear::on(&place.path, true, None);
    std::thread::sleep(Duration::from_millis(50));
    ear.until("all", |ear| ear.got.len() == count);
    ear.until_caught_up();
    assert!(ear.got.windows(2).all(|pair| pair[0].next == pair[1].offset));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the writer's writes cut the bytes, and wherever the reader stops and another goes on.
    #[test]
    fn any_chunking_gives_the_same_records(
        // Without an e at its head a word of small letters is base64 of no JSON.
        lines in prop::collection::vec("[f-z]{1,12}", 1..20),
        cuts in prop::collection::vec(0usize..200, 0..8),
        stop in 0usize..8,
        rotate in 0usize..9,
    ) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let place = Place::of("first\n");
        let mut ear = Ear::on(&place.path, true, None);
        ear.until_texts(&["first"]);
        let mut got = Vec::new();
        for (number, pair) in cuts.windows(2).enumerate() {
            let before = &text[..pair[0]];
            if number == stop {
                got.extend(ear.got.iter().map(|got| got.text.clone()));
                let from = ear.stop();
                ear = Ear::on(&place.path, true, Some(from));
            }
            if number == rotate && (before.is_empty() || before.ends_with('\n')) {
                place.rename(".1");
            }
            place.add(&text[pair[0]..pair[1]]);
            ear.hear(Duration::from_millis(3));
        }
        let want: Vec<String> = std::iter::once("first".to_owned()).chain(lines).collect();
        let have = got.len();
        ear.until("all", |ear| have + ear.got.len() >= want.len());
        got.extend(ear.got.iter().map(|got| got.text.clone()));
        prop_assert_eq!(got, want);
    }
}

fn told_by_child(what: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").and_then(|()| out.flush()).expect("somebody reads");
}

/// What the process of the test below does: reads its standard input, and tells on its standard output.
#[test]
fn child_that_reads_standard_input() {
    if std::env::var_os("ONUS_TAIL_CHILD").is_none() {
        return;
    }
    let mut ear = Ear::on(Path::new("-"), true, None);
    let mut told = 0;
    let mut caught_up = false;
    while !ear.said.iter().any(|said| said == "ended") {
        ear.hear(Duration::from_millis(5));
        for got in &ear.got[told..] {
            assert_eq!((got.offset, got.next, got.incarnation.as_str()), (told as u64, told as u64 + 1, "stdin"));
            told_by_child(format_args!("\n= {}", got.text));
            told += 1;
            caught_up = false;
            ear.caught_up = 0;
        }
        if told > 0 && ear.caught_up > 0 && !caught_up {
            caught_up = true;
            told_by_child(format_args!("\n= caught up"));
        }
    }
    told_by_child(format_args!("\n= ended"));
}

#[test]
fn standard_input_is_heard_as_it_comes_and_to_its_end() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let program = std::env::current_exe().expect("this test");
    let mut child = Command::new(program)
        .args(["--exact", "child_that_reads_standard_input", "--nocapture"])
        .env("ONUS_TAIL_CHILD", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("spawned");
    let mut input = child.stdin.take().expect("piped");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("= ").map(str::to_owned));
    let mut told = |count: usize| lines.by_ref().take(count).collect::<Vec<String>>();
    input.write_all(b"a\nb\n").expect("written");
    assert_eq!(told(3), ["a", "b", "caught up"]);
    input.write_all(b"half").expect("written");
    std::thread::sleep(Duration::from_millis(50));
    input.write_all(b" and half\nlast").expect("written");
    assert_eq!(told(1), ["half and half"]);
    drop(input);
    // The last one has no newline, and none will come. Before it ends, all is said to be heard once more.
    let rest = told(9);
    assert_eq!((rest.first().map(String::as_str), rest.last().map(String::as_str)), (Some("last"), Some("ended")));
    assert!(child.wait().expect("ended").success());
}
