//! An owner that stood still while a deadline passed, and wakes with its timer due.

use crate::house::signal;
use crate::world::World;
use onus_engine::time::{MINUTE, Moment};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn the_timers_of_a_judge_that_stood_still_fire_for_nobody() {
    let mut world = World::new(1, 600, "[run]\nlease = \"1s\"");
    let a = world.judge("a");
    world.until_owned(&[("a", 1)]);
    let b = world.judge("b");
    world.until("both are there", || world.list().members.len() == 2);
    world.feed_while(|_| ());
    world.until("it tells", || world.told("a").len() > 100);
    // To be acknowledged within 15 minutes, which are over in some seconds.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    let opened = Moment(now + 8_000 - 15 * MINUTE);
    world.say(&format!(
        "{{\"specversion\":\"1.0\",\"id\":\"late\",\"source\":\"urn:desk:p9999\",\"type\":\"ticket.opened\",\"time\":\"{opened}\",\
         \"subject\":\"LATE-1\",\"partner\":\"p9999\",\"data\":{{\"priority\":\"P1\",\"control\":\"none\"}}}}\n"
    ));
    let open = |page: &str| {
        page.lines().any(|line| {
            ["onus_duties{", "partner=\"p9999\"", "obligation=\"S1\"", "standing=\"open\""]
                .iter()
                .all(|part| line.contains(part))
                && line.ends_with(" 1")
        })
    };
    world.until("its clock runs there", || open(&world.figures("a")));
    signal(&a.0, "STOP");
    let of_it =
        |world: &World| world.ledger().into_iter().filter(|entry| entry.subject == "LATE-1").collect::<Vec<_>>();
    assert!(of_it(&world).is_empty(), "it was not due yet");
    world.until("the other one says that it is over", || !of_it(&world).is_empty());
    world.until("and tells it", || world.told("b").iter().any(|told| told.0 == of_it(&world)[0].duty().to_string()));
    assert_eq!(world.owned()["b"], [0]);
    signal(&a.0, "CONT");
    world.until("it knows", || world.talk("a").contains("another judge has it now"));
    let before = world.commits();
    world.until("the other one goes on", || world.commits()[0] > before[0] + 2);
    let entries = of_it(&world);
    assert_eq!((entries.len(), entries[0].to.word()), (1, "breached"), "{entries:?}");
    let duty = entries[0].duty().to_string();
    assert!(!world.told("a").iter().any(|told| told.0 == duty), "what it woke with it told nobody");
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}
