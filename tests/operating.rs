//! What operators rely on: what is too old goes and nothing else does, a source says only what it is bound to, and nobody
//! hides behind the silence of a source of its own.

#[path = "operating/adapters.rs"]
mod adapters;
#[path = "operating/anew.rs"]
mod anew;
#[path = "operating/away.rs"]
mod away;
#[path = "operating/bindings.rs"]
mod bindings;
#[path = "operating/blind.rs"]
mod blind;
#[path = "operating/catalogue.rs"]
mod catalogue;
#[path = "operating/ceiling.rs"]
mod ceiling;
#[path = "operating/disputed.rs"]
mod disputed;
#[path = "operating/divided.rs"]
mod divided;
#[path = "operating/idle.rs"]
mod idle;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "operating/proof.rs"]
mod proof;
#[path = "operating/regenerated.rs"]
mod regenerated;
#[path = "operating/retention.rs"]
mod retention;
#[path = "operating/several.rs"]
mod several;
#[path = "operating/shard.rs"]
mod shard;
#[path = "operating/shown.rs"]
mod shown;
