//! Judges that come and go in order.

use crate::world::World;

const QUICK: &str = "[run]\nlease = \"1s\"";

#[test]
fn a_second_judge_takes_its_share_in_the_middle_of_the_work_and_the_first_hands_it_over_drained() {
    let mut world = World::new(4, 3_000, QUICK);
    let first = world.judge("a");
    world.until_owned(&[("a", 4)]);
    world.feed(1_000);
    world.until("the first decides", || !world.told("a").is_empty());
    let second = world.judge("b");
    world.feed_while(|_| std::thread::sleep(std::time::Duration::from_millis(200)));
    world.until_owned(&[("a", 2), ("b", 2)]);
    let a: std::collections::BTreeSet<_> = world.told("a").into_iter().collect();
    world.until("the second decides", || !world.told("b").is_empty());
    assert!(!world.talk("a").contains("not finished in time"), "{}", world.talk("a"));
    assert!(!world.talk("a").contains("taken it over"), "nobody was fenced: {}", world.talk("a"));
    assert!(!a.is_empty());
    assert!(first.end() && second.end(), "{}{}", world.talk("a"), world.talk("b"));
    let listed = world.list();
    assert!(listed.members.is_empty() && listed.units.iter().all(|unit| unit.member.is_none()), "all was given up");
    let both = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    let told = [world.told("a"), world.told("b")].concat();
    let once: std::collections::BTreeSet<_> = told.iter().cloned().collect();
    assert_eq!(once.len(), told.len(), "what was handed over in order is told once");
    world.is_as_undisturbed(&["a", "b"]);
    both.into_iter().for_each(|judge| assert!(judge.end()));
}
