//! What boards and rules ask, as text: series and matchers taken out of PromQL, and the choices above a board put in.

use std::collections::BTreeSet;

/// What Grafana puts in for the choices "all", and for its own words.
pub(crate) fn chosen(expr: &str) -> String {
    expr.replace("$__rate_interval", "1m").replace("$job", ".+").replace("$partner", ".+").replace("$obligation", ".+")
}

/// Names of series, each with the labels that are matched.
pub(crate) fn series(expr: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut all = Vec::new();
    let bytes = expr.as_bytes();
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b':';
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'"' {
            // A text: to its end.
            at += 1 + expr[at + 1..].find('"').expect("a closed text") + 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|c| word(**c)).count();
        let name = &expr[at..end];
        if name.starts_with("onus_") || name.contains(":onus_") || name == "ALERTS" {
            let mut labels = BTreeSet::new();
            let mut after = end;
            if bytes.get(end) == Some(&b'{') {
                after = end + expr[end..].find('}').expect("closed braces") + 1;
                let inner = &expr[end + 1..after - 1];
                for matcher in inner.split("\",").filter(|one| !one.trim().is_empty()) {
                    labels.insert(matcher.split(['=', '!']).next().expect("a name").trim().to_owned());
                }
            }
            all.push((name.to_owned(), labels));
            at = after;
        } else {
            at = end.max(at + 1);
        }
    }
    all
}

#[test]
fn series_are_found_with_their_labels_and_texts_are_no_series() {
    let found = series("sum by (onus) (a:onus_b:max{x=\"1,onus_no\",y=~\"$z\"}) / onus_c and \"onus_d\"");
    let labels: BTreeSet<String> = ["x", "y"].map(str::to_owned).into();
    assert_eq!(found, [("a:onus_b:max".to_owned(), labels), ("onus_c".to_owned(), BTreeSet::new())]);
}
