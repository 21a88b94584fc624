//! Judges that come and go in order.

use crate::house::signal;
use crate::world::World;
use std::collections::BTreeSet;

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
    let a: BTreeSet<_> = world.told("a").into_iter().collect();
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
    let once: BTreeSet<_> = told.iter().cloned().collect();
    assert_eq!(once.len(), told.len(), "what was handed over in order is told once");
    world.ends_as_undisturbed(&["a", "b"]);
    both.into_iter().for_each(|judge| assert!(judge.end()));
}

/// Partners that a page has duties of.
fn partners(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| line.starts_with("onus_duties{"));
    lines.filter_map(|line| line.split("partner=\"").nth(1)?.split('"').next().map(str::to_owned)).collect()
}

#[test]
fn a_shards_figures_are_where_the_shard_is_and_contracts_reach_all_of_them() {
    let mut world = World::new(4, 1_200, QUICK);
    let a = world.judge("a");
    world.until_owned(&[("a", 4)]);
    world.feed_while(|_| ());
    world.until("all is shown", || partners(&world.figures("a")).len() == 24);
    let commits = |page: &str| {
        let line = page.lines().find(|line| line.starts_with("onus_commits_total ")).expect("a count");
        line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a number")
    };
    let before = commits(&world.figures("a"));
    let b = world.judge("b");
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.until("each shows its own", || {
        let [a, b] = ["a", "b"].map(|name| partners(&world.figures(name)));
        a.is_disjoint(&b) && a.len() + b.len() == 24
    });
    let page = world.figures("a");
    assert!(commits(&page) >= before, "what was counted does not fall");
    let clocks = page.lines().filter(|line| line.starts_with("onus_clock_timestamp_seconds{shard=")).count();
    assert_eq!(clocks, 2, "{page}");
    let owned = world.owned();
    for unit in &owned["b"] {
        assert!(!page.contains(&format!("shard=\"{unit}\"")), "{unit} is another's");
    }
    // A partner of the contracts is shown by its shard alone, whether something happened to it or not.
    let text = std::fs::read_to_string(world.house.path("contract.yaml")).expect("a contract");
    let more = text.replacen("name: ", "name: renamed-", 1).replacen("contract: ", "contract: renamed-", 1);
    world.house.write("contract.yaml", &more);
    [&a, &b].iter().for_each(|judge| signal(&judge.0, "HUP"));
    world.until("all shards judge by the new text", || {
        let info = |name: &str| {
            let page = world.figures(name);
            let of: Vec<_> =
                page.lines().filter(|line| line.starts_with("onus_obligation_info{")).map(str::to_owned).collect();
            !of.is_empty() && of.iter().all(|line| line.contains("contract=\"renamed-"))
        };
        info("a") && info("b")
    });
    assert!(a.end() && b.end());
}
