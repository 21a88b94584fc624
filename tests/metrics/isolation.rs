//! A partner sees its own figures, and learns nothing else: not even who else there is.

use crate::golden::{Running, house};
use crate::house::House;
use crate::page::Page;
use std::collections::BTreeMap;

const FILE: &str = "[judge]\n";

/// Makes a token; gives its text.
fn token(house: &House, args: &[&str]) -> String {
    let said = house.onus(&[&["token", "create"], args].concat());
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("text").trim().to_owned()
}

/// Settings with a file of tokens.
fn guarded(more: &str) -> House {
    let house = house("");
    let settings = std::fs::read_to_string(house.path("onus.toml")).expect("settings");
    let with = format!("metrics-tokens-file = \"tokens\"\n{more}{FILE}");
    house.write("onus.toml", &settings.replace(FILE, &with));
    house
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn each_token_opens_its_own_partners_figures_and_all_else_is_alike() {
    let house = guarded("");
    let partners = ["brightkey", "halden-pam", "tidewater-soc"];
    let mut tokens: BTreeMap<&str, String> =
        partners.into_iter().map(|partner| (partner, token(&house, &["--partner", partner]))).collect();
    tokens.insert("all", token(&house, &["--all", "--days", "1"]));
    let kept = std::fs::read_to_string(house.path("tokens")).expect("the file");
    let secret = |text: &String| text.rsplit('_').next().expect("a secret").to_owned();
    assert!(tokens.values().all(|text| !kept.contains(&secret(text)) && text.starts_with("onus_metrics_")));
    // One whose time is over.
    let over = token(&house, &["--partner", "brightkey"]);
    let id = over.split('_').nth(2).expect("an id");
    let kept = std::fs::read_to_string(house.path("tokens")).expect("the file");
    let aged: Vec<String> = kept
        .lines()
        .map(|line| match line.strip_prefix(id) {
            Some(rest) => {
                format!("{id} 2026-01-01T00:00:00.000Z {}", rest.trim_start().split_once(' ').expect("more").1)
            }
            None => line.to_owned(),
        })
        .collect();
    house.write("tokens", &(aged.join("\n") + "\n"));

    let running = Running::new(&house);
    let refused = running.ask("/partners/nobody/metrics", &[]);
    assert!(refused.0.starts_with("HTTP/1.1 404"), "{}", refused.0);
    let mut denied = 1;
    let mut same = |path: &str, headers: &[(&str, &str)]| {
        denied += 1;
        assert_eq!(running.ask(path, headers), refused, "{path} {headers:?}");
    };
    for partner in partners {
        let path = format!("/partners/{partner}/metrics");
        for (whose, text) in &tokens {
            let told = bearer(text);
            if *whose == partner || *whose == "all" {
                let (head, body) = running.ask(&path, &[("authorization", &told)]);
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                let page = Page::text(&body);
                let others = page.samples.values().flat_map(BTreeMap::keys);
                assert!(others.clone().count() > 50);
                assert!(others.clone().all(|labels| labels.get("partner").is_some_and(|p| p == partner)), "{body}");
                crate::promtool::check(&body);
            } else {
                same(&path, &[("authorization", &told)]);
            }
        }
        same(&path, &[]);
        same(&path, &[("authorization", "Bearer")]);
        same(&path, &[("authorization", "Bearer wrong")]);
        same(&path, &[("authorization", &format!("Basic {}", tokens[partner]))]);
        same(&path, &[("authorization", &bearer(&tokens[partner][1..]))]);
        same(&path, &[("authorization", &bearer(&over))]);
        let own = bearer(&tokens[partner]);
        same(&path, &[("authorization", &own), ("authorization", &own)]);
        for strange in
            ["nobody", "_other", "Brightkey", "brightkey%00", "brightkey%2F", "%FF", "brightkey%20", "%62rightkeys"]
        {
            same(&format!("/partners/{strange}/metrics"), &[("authorization", &own)]);
        }
        same("/partners/nobody/metrics", &[("authorization", &bearer(&tokens["all"]))]);
    }
    let page = running.page();
    let counted: f64 = page.all("onus_metrics_denied_total").map(|(_, n)| n).sum();
    assert_eq!(counted, f64::from(denied), "each was counted");
    for reason in ["missing", "unknown", "expired", "foreign", "nobody"] {
        assert!(page.value("onus_metrics_denied_total", &[("reason", reason)]) > Some(0.0), "{reason}");
    }

    // Taken back, it opens nothing from the next request on.
    let id = tokens["brightkey"].split('_').nth(2).expect("an id").to_owned();
    let listed = house.onus(&["token", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(listed.lines().any(|line| line.starts_with(&id) && line.ends_with("the figures of brightkey")), "{listed}");
    assert!(listed.contains("expired") && listed.contains("all figures"), "{listed}");
    assert!(house.onus(&["token", "revoke", &id]).status.success());
    let own = bearer(&tokens["brightkey"]);
    assert_eq!(running.ask("/partners/brightkey/metrics", &[("authorization", &own)]), refused);
    assert_eq!(house.onus(&["token", "revoke", &id]).status.code(), Some(2), "it is gone");
    let wrong = house.onus(&["token", "create", "--partner", "brightkeys"]);
    assert_eq!(wrong.status.code(), Some(2), "a slip would open nothing");
    running.stop();
}

#[test]
fn the_page_of_everything_can_want_a_token_too() {
    let house = guarded("metrics-need-token = true\n");
    let (all, own) = (token(&house, &["--all"]), token(&house, &["--partner", "brightkey"]));
    let running = Running::new(&house);
    assert!(running.ask("/metrics", &[]).0.starts_with("HTTP/1.1 404"));
    assert_eq!(running.ask("/metrics", &[("authorization", &bearer(&own))]), running.ask("/metrics", &[]));
    let (head, body) = running.ask("/metrics", &[("authorization", &bearer(&all))]);
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("onus_build_info"), "{head}");
    assert!(running.ask("/healthz", &[]).0.starts_with("HTTP/1.1 200"));
    running.stop();
}

#[test]
fn without_a_file_of_tokens_partners_pages_open_for_nobody() {
    let house = house("");
    let running = Running::new(&house);
    let none = running.ask("/partners/brightkey/metrics", &[("authorization", "Bearer x")]);
    assert!(none.0.starts_with("HTTP/1.1 404"), "{}", none.0);
    assert_eq!(none, running.ask("/partners/nobody/metrics", &[]));
    let said = house.onus(&["token", "create", "--all"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("metrics-tokens-file"));
}
