//! `onus fmt`: files in place, what would change, standard input.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const LOOSE: &str = "# The file's own.\ncustomer:   bank # who\ncontract: acme\n";
const TIGHT: &str = "# The file's own.\ncontract: acme\ncustomer: bank  # who\n";

fn fmt(args: &[&Path], flags: &[&str], input: Option<&str>) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .arg("fmt")
        .args(flags)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.unwrap_or_default().as_bytes()).expect("written");
    drop(stdin);
    let out = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

#[test]
fn files_are_put_into_their_form_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    fs::write(&path, LOOSE).expect("written");
    assert_eq!(fmt(&[folder.path()], &[], None), (0, String::new(), "formatted: 1 of 1 file\n".to_owned()));
    assert_eq!(fs::read_to_string(&path).expect("text"), TIGHT);
    assert_eq!(fmt(&[&path], &[], None), (0, String::new(), "formatted: 0 of 1 file\n".to_owned()));
    let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing else is left there");
}

#[test]
fn check_changes_nothing_and_prints_what_would_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.yaml");
    fs::write(&path, LOOSE).expect("written");
    let (code, out, talk) = fmt(&[&path], &["--check"], None);
    assert_eq!((code, talk.as_str()), (1, "would change: 1 of 1 file\n"));
    assert!(out.contains("-customer:   bank # who\n contract: acme\n+customer: bank  # who\n"), "{out}");
    assert_eq!(fs::read_to_string(&path).expect("text"), LOOSE);
    fs::write(&path, TIGHT).expect("written");
    assert_eq!(fmt(&[&path], &["--check"], None).0, 0);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let dash = Path::new("-");
    assert_eq!(fmt(&[dash], &[], Some(LOOSE)), (0, TIGHT.to_owned(), String::new()));
    assert_eq!(fmt(&[dash], &["--check"], Some(LOOSE)).0, 1);
}

#[test]
fn what_cannot_be_read_or_kept_is_named_and_left_while_the_rest_is_formatted() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = "obligations:\n  - says: |+\n      a\n\n    id: b\n";
    for (name, text) in [("a.yaml", LOOSE), ("b.yaml", "a: [1\n"), ("c.yaml", kept)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let (code, _, talk) = fmt(&[folder.path()], &[], None);
    assert_eq!(code, 2);
    assert!(talk.contains("E005") && talk.contains("c.yaml is left as it is"), "{talk}");
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).expect("text"), TIGHT);
    assert_eq!(fs::read_to_string(folder.path().join("c.yaml")).expect("text"), kept);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_a_link_its_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (path, link) = (folder.path().join("a.yaml"), folder.path().join("link.yaml"));
    fs::write(&path, LOOSE).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
    std::os::unix::fs::symlink(&path, &link).expect("linked");
    assert_eq!(fmt(&[&link], &[], None).0, 0);
    assert_eq!(fs::read_to_string(&path).expect("text"), TIGHT);
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).expect("there").file_type().is_symlink());
}
