//! Sources that contradict each other: in the ledger, among the figures, through a restart.

use crate::shard::{ROTATE, Shard, at, event, kept};
use onus::runtime::live::Feed;
use onus::store::Query;
use onus_engine::time::{HOUR, MINUTE, SECOND};

#[test]
fn a_dispute_is_an_entry_and_a_figure_and_so_is_its_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let (start, p1) = (at("2026-03-02T09:00:00Z"), ",\"partner\":\"p1\"");
    let open = |now| Shard::open(ROTATE, vec![Feed::named("desk")], kept(dir.path()), now);
    let by = |source: &str, line: String| line.replace("\"here\"", &format!("\"{source}\""));
    let mut shard = open(start + HOUR);
    shard.say(0, &[event("1", "credential.created", "svc-1", start, p1)]);
    shard.say(0, &[by("ticket", event("2", "credential.rotated", "svc-1", start + MINUTE, p1))]);
    let told = |shard: &mut Shard, now| {
        shard.write();
        // What was counted is shown with the next look.
        shard.set(now + 3 * SECOND);
        shard.live.tick().expect("time passes");
        let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
        let entries: Vec<_> = entries.iter().map(|e| (e.from.word(), e.to.word(), e.disputed)).collect();
        (entries, shard.live.status().board().duties.obligations[0].disputed)
    };
    let first = told(&mut shard, start + HOUR).0;
    assert_eq!(first.last().map(|(_, to, disputed)| (*to, *disputed)), Some(("met", false)), "{first:?}");
    let count = first.len();

    shard.say(0, &[by("vault", event("3", "credential.rotation-failed", "svc-1", start + 2 * MINUTE, p1))]);
    let (entries, figure) = told(&mut shard, start + HOUR + 10 * SECOND);
    assert_eq!((&entries[count..], figure), (&[("met", "met", true)][..], 1), "it stands as it stood, and is disputed");

    drop(shard);
    let mut shard = open(start + HOUR + 15 * SECOND);
    shard.set(start + HOUR + 20 * SECOND);
    shard.live.tick().expect("time passes");
    assert_eq!(shard.live.status().board().duties.obligations[0].disputed, 1, "a restart knows it");
    let late = by("vault", event("4", "credential.rotated", "svc-1", start + 3 * MINUTE, p1));
    shard.say(0, std::slice::from_ref(&late));
    shard.say(0, &[late]);
    let (entries, figure) = told(&mut shard, start + HOUR + 30 * SECOND);
    assert_eq!((&entries[count..], figure), (&[("met", "met", true), ("met", "met", false)][..], 0));
}
