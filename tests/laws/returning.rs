//! What leaves memory and comes back again and again.

use crate::world::World;
use onus_engine::time::{DAY, Moment};

/// A credential that is rotated each month has left memory before each rotation: what comes back is its history once, and
/// not what was kept at each time it left.
#[test]
fn what_comes_back_each_month_comes_back_once() {
    let contract = r#"
contract: returning
partner: "p*"
customer: everyone
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - id: attribution
    clause: "1"
    when: credential.rotated
    requires: {where: {actor: "*"}}
  - id: once
    clause: "2"
    when: credential.rotated
    requires: credential.created
"#;
    let contract = onus::contract::parse(contract, "returning.yaml").expect("a contract that loads");
    let mut world = World::of(&[contract], Some(7 * DAY));
    let mut one = 0;
    for n in 0..60_i64 {
        let at = Moment(1_767_225_600_000 + n * 30 * DAY);
        let kind = if n == 0 { "created" } else { "rotated" };
        world.hear(&format!(
            r#"{{"specversion":"1.0","id":"e-{n:03}","source":"urn:vault","type":"credential.{kind}","time":"{at}","subject":"svc-1","partner":"p0001","data":{{"kind":"key","actor":"bot"}}}}"#
        ));
        world.finish(Moment(at.0 + 20 * DAY));
        let kept = world.shelf.0.values().map(Vec::len).sum::<usize>();
        one = if n == 0 { kept } else { one };
        // A rotation's fact is hardly longer than the first one.
        assert!(kept <= 2 * one * (n as usize + 1), "after {n} rotations {kept} bytes, where one fact has {one}");
    }
    assert!(one > 0, "it left memory");
}
