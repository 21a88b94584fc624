//! A page read strictly, so that what Prometheus would take with a shrug is found here.

use std::collections::{BTreeMap, BTreeSet};

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A page, by the name of each sample.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) samples: BTreeMap<String, BTreeMap<Labels, f64>>,
    pub(crate) families: BTreeMap<String, String>,
    pub(crate) examples: usize,
}

impl Page {
    /// Text format 0.0.4.
    pub(crate) fn text(page: &str) -> Page {
        read(page, false)
    }

    /// OpenMetrics 1.0.
    pub(crate) fn open(page: &str) -> Page {
        let page = page.strip_suffix("# EOF\n").expect("it ends with # EOF");
        assert!(!page.contains("# EOF"), "and has it once");
        read(page, true)
    }

    /// The value of one series; none: it is absent.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(name)?.get(&labels).copied()
    }

    /// All series of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = (&Labels, f64)> {
        self.samples.get(name).into_iter().flatten().map(|(labels, value)| (labels, *value))
    }

    pub(crate) fn series(&self) -> usize {
        self.samples.values().map(BTreeMap::len).sum()
    }
}

fn read(text: &str, open: bool) -> Page {
    assert!(text.is_empty() || text.ends_with('\n'));
    let mut page = Page::default();
    let mut helps = BTreeSet::new();
    let mut family = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help");
            assert!(!help.is_empty() && helps.insert(name.to_owned()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(helps.contains(name), "no help before {line}");
            assert!(["counter", "gauge", "histogram", "info"].contains(&kind) && (open || kind != "info"), "{line}");
            let known = page.families.insert(name.to_owned(), kind.to_owned());
            assert!(known.is_none(), "families stand together: {line}");
            family = (name.to_owned(), kind.to_owned());
        } else {
            sample(&mut page, &family, line, open);
        }
    }
    histograms(&page);
    page
}

fn sample(page: &mut Page, (family, kind): &(String, String), line: &str, open: bool) {
    let end = line.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, rest) = line.split_at(end);
    let allowed: &[&str] = match (kind.as_str(), open) {
        ("counter", true) => &["_total"],
        ("info", true) => &["_info"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        _ => &[""],
    };
    let suffix = name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("not of {family}: {line}"));
    assert!(allowed.contains(&suffix), "{line}");
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest, line),
        None => (Labels::new(), rest),
    };
    let rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no blank before the value: {line}"));
    let (value, example) = match rest.split_once(" # ") {
        Some((value, example)) => (value, Some(example)),
        None => (rest, None),
    };
    let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    assert!(value.is_finite(), "{line}");
    if let Some(example) = example {
        assert!(open && suffix == "_bucket", "{line}");
        let (labels, rest) = self::labels(example.strip_prefix('{').expect("labels"), line);
        let length: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        assert!(length <= 128, "{line}");
        let numbers: Vec<f64> = rest.split_whitespace().map(|n| n.parse().expect("a number")).collect();
        assert_eq!(numbers.len(), 2, "{line}");
        page.examples += 1;
    }
    let known = page.samples.entry(name.to_owned()).or_default().insert(labels, value);
    assert!(known.is_none(), "a series stands twice: {line}");
}

fn labels<'l>(mut rest: &'l str, line: &str) -> (Labels, &'l str) {
    let mut out = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().unwrap_or_else(|| panic!("a value without end: {line}")) {
                (at, '"') => break at + 1,
                (_, '\\') => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c @ ('\\' | '"'))) => value.push(c),
                    other => panic!("{other:?} is not escaped so: {line}"),
                },
                (_, c) => value.push(c),
            }
        };
        assert!(out.insert(name.to_owned(), value).is_none(), "a label stands twice: {line}");
        rest = &after[end..];
        match rest.as_bytes().first() {
            Some(b',') => rest = &rest[1..],
            Some(b'}') => return (out, &rest[1..]),
            _ => panic!("{line}"),
        }
    }
}

fn histograms(page: &Page) {
    for (name, kind) in page.families.iter().filter(|(_, kind)| *kind == "histogram") {
        let buckets = page.samples.get(&format!("{name}_bucket")).cloned().unwrap_or_default();
        let mut by: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for (mut labels, count) in buckets {
            let bound = labels.remove("le").unwrap_or_else(|| panic!("{name} {kind}: a bucket without bound"));
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a bound") };
            by.entry(labels).or_default().push((bound, count));
        }
        for (labels, mut buckets) in by {
            buckets.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{name}: counts rise");
            let count = page.samples[&format!("{name}_count")][&labels];
            assert_eq!(buckets.last().copied(), Some((f64::INFINITY, count)), "{name}");
            assert!(page.samples[&format!("{name}_sum")].contains_key(&labels), "{name}");
        }
    }
}
