//! What is written is read, and what lies in the topic is never too odd to be refused.

use super::*;
use proptest::prelude::*;

/// One record as a judge reads it.
fn laid(header: Option<&[u8]>, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    lay(header, value, &mut out);
    out
}

fn reading(source: &str, partition: i32) -> Arc<Reading> {
    let incarnation = "cluster/topic@7".to_owned();
    Arc::new(Reading { source: source.to_owned(), partition, incarnation, generation: 0 })
}

type Said = (Reading, Place, Vec<u8>);

fn bundle(all: &[Said]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut bundle = Bundle::default();
    all.iter().for_each(|(reading, place, line)| bundle.put(&Arc::new(reading.clone()), *place, line));
    assert_eq!(bundle.bytes(), all.iter().map(|(_, _, line)| line.len() + 1).sum::<usize>().saturating_sub(1));
    bundle.record()
}

/// What a record says; None: it is nobody's.
fn said(record: &[u8]) -> Option<Vec<Said>> {
    let Carried::Events(events) = read(record)? else { return None };
    let mut lines = events.lines();
    let mut all = Vec::new();
    for run in &events.runs {
        for (place, line) in run.places.iter().zip(lines.by_ref()) {
            all.push((run.reading.clone(), *place, line.to_vec()));
        }
    }
    assert_eq!(lines.next(), None, "as many places as lines");
    Some(all)
}

fn any_said() -> impl Strategy<Value = Said> {
    let place = (0..=FURTHEST, any::<u32>(), 0..=LATEST);
    let line = prop::collection::vec(any::<u8>().prop_filter("a line", |byte| *byte != b'\n'), 0..30);
    let generation = prop_oneof![4 => Just(0), 1 => 1..=FURTHEST];
    ("[ab]", 0..2i32, generation, place, line).prop_map(|(source, partition, generation, (offset, item, at), line)| {
        let reading = Reading { generation, ..(*reading(&source, partition)).clone() };
        (reading, Place { offset, item, arrived: Moment(at) }, line)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in prop::collection::vec(any_said(), 1..20)) {
        let (header, value) = bundle(&all).expect("a record");
        let record = laid(Some(&header), &value);
        prop_assert_eq!(said(&record), Some(all));
        prop_assert_eq!(super::value(&record), &value[..]);
    }

    /// Of a record that was cut, lengthened or changed in one byte nothing is read, or as much as it has lines.
    #[test]
    fn nothing_that_lies_there_is_too_odd(
        all in prop::collection::vec(any_said(), 1..5),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        noise in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let (header, value) = bundle(&all).expect("a record");
        let whole = laid(Some(&header), &value);
        let mut changed = whole.clone();
        changed[at.index(whole.len())] = byte;
        for odd in [&changed[..], &whole[..at.index(whole.len())], &noise[..], &laid(Some(&noise), &value), &laid(None, &noise)] {
            said(odd);
            super::value(odd);
        }
        let cut = &header[..at.index(header.len())];
        prop_assert_eq!(said(&laid(Some(cut), &value)), None);
        prop_assert_eq!(said(&laid(Some(&[&header[..], b"\0"].concat()), &value)), None);
        prop_assert_eq!(said(&laid(Some(&header), &[&value[..], b"\n{}"].concat())), None, "a line without a place");
    }
}

#[test]
fn a_tick_is_read_as_it_was_written() {
    let part = Some(Part { lane: Lane { own: 2, of: 3 }, parts: 12 });
    for part in [None, part] {
        let tick = Tick { source: "desk".to_owned(), heard: Moment(5), last: Moment::DAWN, part };
        let record = laid(Some(&tick.header()), b"{}");
        assert!(matches!(read(&record), Some(Carried::Tick(read)) if read == tick));
    }
    let lane = Part { lane: Lane { own: 3, of: 3 }, parts: 12 };
    let tick = Tick { source: "desk".to_owned(), heard: Moment(5), last: Moment::DAWN, part: Some(lane) };
    assert!(read(&laid(Some(&tick.header()), b"{}")).is_none(), "there is no such lane");
}

/// Whoever does not know of readings that are not over would judge both.
#[test]
fn what_is_read_anew_has_a_form_of_its_own() {
    let one = |partition, begins, ends| {
        let (source, why) = ("desk".to_owned(), "state 18".to_owned());
        Regenerated { source, partition, generation: 7, begins, ends, why }
    };
    let all = [one(0, 0, 12), one(1, 5, 6)];
    let header = regenerated(&all).expect("a header");
    assert_eq!(header[0], ANEW);
    assert!(matches!(read(&laid(Some(&header), b"{}")), Some(Carried::Regenerated(read)) if read == all));
    let mut older = header;
    older[0] = FORM;
    assert!(read(&laid(Some(&older), b"{}")).is_none());
    let never = Regenerated { generation: 0, ..one(0, 0, 1) };
    for odd in [&[never][..], &[one(0, 3, 3)], &[one(0, 0, FURTHEST + 1)], &[one(0, 0, 2), one(0, 2, 3)]] {
        assert!(read(&laid(regenerated(odd).as_deref(), b"{}")).is_none(), "{odd:?}");
    }
    assert_eq!(regenerated(&[]), None);
    let place = Place { offset: 9, item: 2, arrived: Moment(77) };
    let of = |generation| bundle(&[(Reading { generation, ..(*reading("desk", 0)).clone() }, place, b"{}".to_vec())]);
    let forms = [0, 7].map(|generation| of(generation).expect("a record").0[0]);
    assert_eq!(forms, [FORM, ANEW]);
}

#[test]
fn what_no_intake_writes_is_nobodys() {
    let place = Place { offset: 9, item: 2, arrived: Moment(77) };
    let one =
        |source: &str, offset| bundle(&[((*reading(source, 0)).clone(), Place { offset, ..place }, b"{}".to_vec())]);
    let (header, value) = one("desk", 9).expect("a record");
    assert!(read(&laid(Some(&header), &value)).is_some());
    assert!(read(&laid(None, &value)).is_none());
    assert!(read(b"").is_none());
    let mut newer = header.clone();
    newer[0] = ANEW + 1;
    assert!(matches!(read(&laid(Some(&newer), &value)), Some(Carried::Later)));
    newer[0] = ANEW;
    assert!(read(&laid(Some(&newer), &value)).is_none(), "nothing of it was read anew");
    newer[0] = FORM - 1;
    assert!(read(&laid(Some(&newer), &value)).is_none(), "there was none");
    let late = Place { arrived: Moment(LATEST + 1), ..place };
    let late = bundle(&[((*reading("desk", 0)).clone(), late, b"{}".to_vec())]);
    for (header, value) in [one("", 9), one("desk", FURTHEST + 1), late].into_iter().flatten() {
        assert!(read(&laid(Some(&header), &value)).is_none());
    }
    assert_eq!(Bundle::default().record(), None);
}

#[test]
fn the_seed_of_the_fuzz_target_is_a_record() {
    let seed = include_bytes!("../../../fuzz/seeds/decode/carried");
    assert_eq!(said(seed).expect("it is read").len(), 2);
}

#[test]
fn the_seed_of_what_was_read_anew_is_its_word() {
    let seed = include_bytes!("../../../fuzz/seeds/decode/regenerated");
    assert!(matches!(read(seed), Some(Carried::Regenerated(marks)) if marks.len() == 2));
}

#[test]
fn names_have_no_control_characters() {
    let place = Place { offset: 9, item: 2, arrived: Moment(77) };
    let odd = Reading { incarnation: "a\0b\n".to_owned(), ..(*reading("desk", 0)).clone() };
    let (header, value) = bundle(&[(odd, place, b"{}".to_vec())]).expect("a record");
    let read = said(&laid(Some(&header), &value)).expect("it is read");
    assert_eq!(read[0].0.incarnation, "a b ");
    let at = header.windows(3).position(|three| three == b"a b").expect("it stands there");
    let mut forged = header;
    forged[at + 1] = 0;
    assert_eq!(said(&laid(Some(&forged), &value)), None);
}
