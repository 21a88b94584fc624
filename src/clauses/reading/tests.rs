//! Clause files as people write them, and miswrite them.

use super::*;

const HEAD: &str = "| when | what happened | what Onus says |\n|---|---|---|\n";
const DAY_LINE: &str = "Times are UTC; the day is Monday 2 March 2026.\n";

fn faults(text: &str) -> Vec<(usize, String)> {
    read(text, "a.md").1.into_iter().map(|fault| (fault.line, fault.what)).collect()
}

#[test]
fn what_stands_before_the_first_case_holds_for_all_that_do_not_say_it() {
    let text = format!(
        "contract: a.yaml\n{DAY_LINE}\n## One\n{HEAD}| 09:00 | nothing | - |\n\n## Two\ncontract: b.yaml\nTimes are UTC; the day is Tuesday 3 March 2026.\n{HEAD}| 09:00 | nothing | - |\n"
    );
    let (sheet, found) = read(&text, "a.md");
    assert_eq!(found, []);
    let named = |case: &Case| match &case.clauses[..] {
        [Clause::Named { path, .. }] => path.display().to_string(),
        _ => String::new(),
    };
    assert_eq!(sheet.cases.iter().map(named).collect::<Vec<_>>(), ["a.yaml", "b.yaml"]);
    assert!(sheet.cases[0].rows[0].now < sheet.cases[1].rows[0].now);
}

#[test]
fn what_is_for_people_is_passed_over() {
    let text = format!(
        "# Title\n\n| a | b |\n|---|---|\n\n## Words\nSome words, and `code`.\n\n```text\n## no case\n{HEAD}```\n<!-- \n## nor this\n-->\n~~~\n```yaml\n~~~\n"
    );
    let (sheet, found) = read(&text, "a.md");
    assert_eq!((sheet.cases.len(), found), (0, vec![]));
}

#[test]
fn a_table_that_is_nearly_one_is_refused() {
    let case = |table: &str| format!("contract: a.yaml\n{DAY_LINE}## One\n{table}");
    let wrong = |table: &str| faults(&case(table)).first().cloned().unwrap_or_default();
    assert!(wrong("| When | What happened | Onus |\n|---|---|---|\n").1.contains("its head is another"));
    assert_eq!(wrong(&HEAD.replace("|---|---|---|\n", "| 09:00 | nothing | - |\n")).0, 5);
    assert!(wrong(HEAD).1.contains("no table with rows"));
    assert!(wrong(&format!("{HEAD}| 09:00 | nothing |\n")).1.contains("three cells"));
    assert!(wrong(&format!("{HEAD}| 9 o'clock | nothing | - |\n")).1.contains("no time"));
    assert!(wrong(&format!("{HEAD}| 09:00 | INC1 opened at 10:00 | - |\n")).1.contains("happens later"));
    assert!(wrong(&format!("{HEAD}| 09:00 | INC1 opened P1 P2 | - |\n")).1.contains("given twice"));
    assert!(wrong(&format!("{HEAD}| 09:00 | Bob opened | - |\n")).1.contains("what is `Bob`?"));
    assert!(wrong(&format!("{HEAD}| 09:00 | nothing | resolve: open |\n")).1.contains("not until when"));
}

#[test]
fn a_case_that_lacks_something_says_what() {
    assert!(faults(&format!("## One\n{DAY_LINE}{HEAD}| 09:00 | nothing | - |\n"))[0].1.contains("no clause"));
    assert!(faults(&format!("## One\ncontract: a\n{HEAD}| 09:00 | nothing | - |\n"))[0].1.contains("its day"));
    assert_eq!(faults(&format!("## One\ncontract: a\n{DAY_LINE}"))[0].0, 1);
    assert!(faults("## One\n```yaml\ncontract: a\n")[0].1.contains("never closed"));
    assert!(faults(HEAD)[0].1.contains("before the first case"));
}

#[test]
fn places_of_cells_are_places_of_the_file() {
    let text =
        format!("\u{feff}contract: a.yaml\r\n{DAY_LINE}## é\n{HEAD}| 09:00 | nothing |  resolve: open, due 10:00  |\n");
    let (sheet, _) = read(&text, "a.md");
    assert_eq!(&text[sheet.cases[0].rows[0].cell.clone()], "resolve: open, due 10:00");
}

#[test]
fn a_case_says_how_far_sources_are_believed() {
    let text = |line: &str| format!("contract: a.yaml\n{DAY_LINE}{line}\n## One\n{HEAD}| 09:00 | nothing | - |\n");
    let (sheet, found) = read(&text("Sources are trusted so: urn:desk asserted, urn:vault:* system."), "a.md");
    assert_eq!(found, []);
    let levels: Vec<_> = sheet.cases[0].trust.iter().map(|(source, trust)| (source.as_str(), *trust)).collect();
    assert_eq!(levels, [("urn:desk", Trust::Asserted), ("urn:vault:*", Trust::System)]);
    assert!(faults(&text("Sources are trusted so: urn:desk believed."))[0].1.contains("no level of trust"));
}
