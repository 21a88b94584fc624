//! What Prometheus's own tool says of a page.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Fails with its words if it has any.
pub(crate) fn check(page: &str) {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut tool = tool.unwrap_or_else(|error| {
        panic!("promtool cannot be run ({error}): install it with `apt-get install prometheus`; .ci/run does")
    });
    tool.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("it reads");
    let said = tool.wait_with_output().expect("it ends");
    let words = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && words.trim().is_empty(), "promtool says:\n{words}");
}
