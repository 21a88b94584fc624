//! Files that are written by the program and checked in: a test compares, `ONUS_UPDATE=1` writes.

use std::path::Path;

/// Compares a file of the repository with what it should hold.
#[track_caller]
pub(crate) fn same(path: &str, want: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ONUS_UPDATE").is_some() {
        std::fs::write(&path, want).expect("the file can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there == want {
        return;
    }
    let differs = there.lines().zip(want.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| there.lines().count().min(want.lines().count()));
    panic!(
        "{} has drifted, first on line {}:\n  there: {}\n  want:  {}\nONUS_UPDATE=1 writes it anew",
        path.display(),
        line + 1,
        there.lines().nth(line).unwrap_or("(nothing)"),
        want.lines().nth(line).unwrap_or("(nothing)"),
    );
}
