//! The laws of the judge, each tried on random contracts and events.
//!
//! `PROPTEST_CASES=10000 cargo test --release --test laws` is the long run; without it each law is tried often enough to
//! catch what is common, in under a minute. What a law has caught stands in `laws/found.rs`, small and by name.

#[path = "laws/again.rs"]
mod again;
#[path = "laws/contracts.rs"]
mod contracts;
#[path = "laws/found.rs"]
mod found;
#[path = "laws/order.rs"]
mod order;
#[path = "laws/pauses.rs"]
mod pauses;
#[path = "laws/records.rs"]
mod records;
#[path = "laws/rehomed.rs"]
mod rehomed;
#[path = "laws/restarts.rs"]
mod restarts;
#[path = "laws/returning.rs"]
mod returning;
#[path = "laws/scene.rs"]
mod scene;
#[path = "laws/settling.rs"]
mod settling;
#[path = "laws/several.rs"]
mod several;
#[path = "laws/walls.rs"]
mod walls;
#[path = "laws/world.rs"]
mod world;

use proptest::test_runner::Config;

/// As many cases as `PROPTEST_CASES` says, else `few`. Nothing is written down: a find becomes a named test.
fn cases(few: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(few);
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_global_rejects: 1_000_000,
        ..Config::default()
    }
}
