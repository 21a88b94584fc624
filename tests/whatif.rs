//! `onus whatif`: worked out by hand on a few events, and as laws on random contracts and events.

#[path = "laws/again.rs"]
mod again;
#[path = "laws/contracts.rs"]
#[allow(dead_code)]
mod contracts;
#[path = "laws/records.rs"]
#[allow(dead_code)]
mod records;
#[path = "laws/scene.rs"]
#[allow(dead_code)]
mod scene;

#[path = "whatif/by_hand.rs"]
mod by_hand;
#[path = "whatif/laws.rs"]
mod laws;
