//! The `onus` binary.
fn main() {}
