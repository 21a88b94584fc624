//! The settings: what holds, who says so, and what is told of mistakes.

#[path = "support/checked_in.rs"]
mod checked_in;

use onus::settings::{self, Loaded, Origin, Role, Sasl, Settings, SettingsError, Start};
use std::path::Path;
use std::process::Command;

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    let variables: Vec<(String, String)> = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    settings::read(Some((Path::new("onus.toml"), text)), &variables)
}

#[track_caller]
fn good(text: &str, variables: &[(&str, &str)]) -> Settings {
    read(text, variables).expect("these are settings").settings
}

/// What is said, without the first and the last line.
#[track_caller]
fn said(text: &str, variables: &[(&str, &str)]) -> String {
    let error = read(text, variables).expect_err("something is wrong").to_string();
    let lines: Vec<&str> = error.lines().collect();
    lines[2..lines.len() - 2].join("\n")
}

const CLUSTER: &str = "[kafka.main]\nbrokers = [\"127.0.0.1:9092\"]\n";
const SOURCE: &str = "[[source]]\nname = \"tickets\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"itsm.tickets\"\n\
                      trust = \"system\"\npartners = [\"*\"]\ntypes = [\"ticket.*\"]\n";

#[test]
fn the_default_file_is_what_the_program_prints_and_says_what_holds_anyway() {
    let text = settings::default_file();
    checked_in::same("config/onus.toml", &text);
    let without = settings::read(None, &[]).expect("the defaults are settings");
    assert_eq!(good(&text, &[]), without.settings);
}

#[test]
fn the_reference_is_written_from_the_declarations() {
    checked_in::same("docs/reference/settings.md", &settings::reference());
}

#[test]
fn every_commented_line_of_the_default_file_names_a_setting_that_there_is() {
    // Comments in words have a blank and no ` = `; of the rest, only files are missing, and kinds exclude each other.
    let off = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    let text: Vec<String> = settings::default_file().lines().map(off).collect();
    let error = read(&text.join("\n"), &[]).expect_err("its files are not there");
    for problem in error.0 {
        let excused = [
            "No such file",
            "kafka source has no",
            "SCRAM-SHA-512 has none",
            "SQLite has no password",
            "beside `basic`",
        ];
        assert!(excused.iter().any(|word| problem.what.contains(word)), "{problem}");
    }
}

#[test]
fn a_cluster_and_its_source_are_read() {
    let settings = good(&format!("{CLUSTER}{SOURCE}start = 2026-01-01T00:00:00Z\nheartbeat = \"1min\"\n"), &[]);
    let source = &settings.sources[0];
    let Origin::Kafka { cluster, topic, start, .. } = &source.origin else { panic!("it is Kafka's") };
    assert_eq!((cluster.as_str(), topic.as_str()), ("main", "itsm.tickets"));
    assert_eq!(*start, Start::At(onus_engine::time::Moment::parse("2026-01-01T00:00:00Z").expect("an instant")));
    assert_eq!((source.transit, source.heartbeat, source.settling), (5_000, Some(60_000), 7 * 86_400_000));
    assert_eq!(settings.clusters["main"].group, "onus");
}

#[test]
fn sources_keep_the_order_of_the_file() {
    let other = SOURCE.replace("tickets", "changes");
    let third = SOURCE.replace("tickets", "alarms");
    let settings = good(&format!("{CLUSTER}{SOURCE}{other}{third}"), &[]);
    let names: Vec<&str> = settings.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["tickets", "changes", "alarms"]);
}

#[test]
fn the_environment_goes_before_the_file() {
    let text = format!("[judge]\nbatch = 10\n{CLUSTER}{SOURCE}");
    let variables = [
        ("ONUS__HTTP__MAX_BODY", "2 MiB"),
        ("ONUS__JUDGE__BATCH", "77"),
        ("ONUS__KAFKA__MAIN__BROKERS", "a:9092, b:9092"),
        ("ONUS__KAFKA__MAIN__PROPERTIES__FETCH_MIN_BYTES", "1000"),
        ("ONUS__SOURCE__TICKETS__MAY_CLAIM_TIME", "true"),
        ("ONUS__SOURCE__TICKETS__PARTNERS", "[\"halden, inc\"]"),
    ];
    let settings = good(&text, &variables);
    assert_eq!((settings.judge.batch, settings.http.max_body), (77, 2 << 20));
    assert_eq!(settings.clusters["main"].brokers, ["a:9092", "b:9092"]);
    assert_eq!(settings.clusters["main"].properties, [("fetch.min.bytes".to_owned(), "1000".to_owned())]);
    assert!(settings.sources[0].may_claim_time);
    assert_eq!(settings.sources[0].partners, ["halden, inc"]);
}

#[test]
fn a_source_can_be_given_by_the_environment_alone() {
    let variables = [
        ("ONUS__SOURCE__PIPE__KIND", "stdin"),
        ("ONUS__SOURCE__PIPE__PARTNERS", "*"),
        ("ONUS__SOURCE__PIPE__TRUST", "shared"),
        ("ONUS__SOURCE__PIPE__TYPES", "*"),
    ];
    let settings = good("", &variables);
    assert_eq!((settings.sources[0].name.as_str(), &settings.sources[0].origin), ("pipe", &Origin::Stdin));
}

#[test]
fn each_setting_in_force_tells_who_said_it() {
    let text = format!("[judge]\n\nbatch = 10\n{CLUSTER}{SOURCE}");
    let loaded = read(&text, &[("ONUS__HTTP__LISTEN", "0.0.0.0:80")]).expect("settings");
    let from = |path: &str| loaded.in_force.iter().find(|one| one.path == path).map(|one| one.from.as_str());
    assert_eq!(from("judge.batch"), Some("onus.toml:3"));
    assert_eq!(from("http.listen"), Some("ONUS__HTTP__LISTEN"));
    assert_eq!(from("judge.settling"), Some("default"));
    assert_eq!(from("source.tickets.trust"), Some("onus.toml:11"));
    let shown = settings::toml(&loaded);
    assert_eq!(good(&shown, &[]), loaded.settings, "what is shown is a settings file that says the same");
}

#[test]
fn all_mistakes_are_told_at_once_each_with_place_and_remedy() {
    let text = "[judge]\nsetling = \"7 days\"\nbatch = 0\ncommit-every = 50\n\n[portal]\nport = 1\n\n[http]\nlisten = \"here\"\n";
    let want = "\
onus.toml:2: judge.setling: there is no such setting
    did you mean `settling`?
onus.toml:6: portal: there is no such section
    known are: contracts, catalogue, store, judge, run, exchange, http, dead-letters, alerting, alertmanager, breaches, webhook, registry, kafka, source
onus.toml:4: judge.commit-every: `50` is no text
    write it in quotation marks
onus.toml:3: judge.batch: 0 is out of range
    from 1 to 1000000
onus.toml:10: http.listen: `here` is no address
    write an IP address and a port: 127.0.0.1:9464, [::]:9464";
    assert_eq!(said(text, &[]), want);
}

#[test]
fn what_a_process_does_of_the_whole() {
    let exchange = "[exchange]\ncluster = \"main\"\ntopic = \"events\"\npartitions = 4\n";
    let with = |run: &str| format!("{run}\n{exchange}{CLUSTER}{SOURCE}");
    assert_eq!(good(&with(""), &[]).role, Role::All);
    assert_eq!(good(&with("[run]\nrole = \"intake\""), &[]).role, Role::Intake);
    assert_eq!(good(&with("[run]\nrole = \"judge\"\nshard = 3"), &[]).role, Role::Judge(3));
    let flags = [("ONUS__RUN__ROLE", "judge"), ("ONUS__RUN__SHARD", "1")];
    let settings = good(&with(""), &flags);
    assert_eq!((settings.role, settings.exchange.map(|exchange| exchange.partitions)), (Role::Judge(1), Some(4)));
    let settings = good(
        &with("").replace("partitions = 4", "partitions = 4\nlanes = 3"),
        &[("ONUS__RUN__ROLE", "intake"), ("ONUS__RUN__LANE", "2")],
    );
    assert_eq!(
        (settings.role, settings.lane, settings.exchange.map(|exchange| exchange.lanes)),
        (Role::Intake, Some(2), Some(3))
    );
    let pipe =
        "[[source]]\nname = \"pipe\"\nkind = \"stdin\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";
    assert_eq!(
        good(&(with("[run]\nrole = \"intake\"") + pipe), &[]).role,
        Role::Intake,
        "an intake keeps what it read"
    );
    for (text, wanted) in [
        (with("[run]\nrole = \"judge\"\nshard = 4"), "the exchange has no partition 4"),
        (with("[run]\nrole = \"judge\""), "run.shard: must be said for a judge"),
        (format!("[run]\nrole = \"intake\"\n{CLUSTER}{SOURCE}"), "`intake` needs an exchange"),
        (with("[run]\nrole = \"intake\"\n[judge]\nclock = \"events\""), "works in one process only"),
        (with("").replace("partitions = 4\n", ""), "exchange.partitions: must be said where `topic` is"),
        (
            with("").replace("cluster = \"main\"\ntopic = \"events\"\n", ""),
            "exchange.partitions: means nothing without `topic`",
        ),
        (with("[run]\nrole = \"intake\"\nlane = 1"), "the exchange has no lane 1"),
        (with("").replace("partitions = 4", "partitions = 4\nlanes = 0"), "exchange.lanes"),
    ] {
        let said = said(&text, &[]);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn mistakes_in_sources_and_clusters() {
    let text = "[kafka.main]\nbroker = [\"a:1\"]\nsasl = { mechanism = \"scram-sha-256\" }\n\
                properties = { \"group.id\" = \"x\" }\n\n\
                [[source]]\nname = \"t\"\nkind = \"file\"\npath = \"t.jsonl\"\ntopic = \"t\"\ntrust = \"sytem\"\n\
                partners = []\ntypes = [\"*\"]\ntransit = \"2 days\"\nsettling = \"1h\"\n\n\
                [[source]]\nname = \"u\"\nkind = \"kafka\"\ncluster = \"mian\"\ntopic = \"u\"\ntrust = \"system\"\n\
                partners = [\"*\"]\ntypes = [\"*\"]\n\n[[source]]\nkind = \"stdin\"\n\n[[source]]\nname = \"Big Name\"\n";
    let want = "\
onus.toml:26: source: has no `name`
    write name = \"tickets\", or another name of your own
onus.toml:2: kafka.main.broker: there is no such setting
    did you mean `brokers`?
onus.toml:29: source.Big Name: `Big Name` cannot be a name
    use lower-case letters, digits and hyphens
onus.toml:1: kafka.main.brokers: must be said
    for example: brokers = [\"broker-1:9092\", \"broker-2:9092\"]
onus.toml:3: kafka.main.sasl.mechanism: there is no `scram-sha-256`
    did you mean \"SCRAM-SHA-256\"? There are: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
onus.toml:4: kafka.main.properties: `group.id` cannot be set here
    write `group`; Onus joins no group
onus.toml:10: source.t.topic: a file source has no `topic`
    take it out, or write kind = \"kafka\"
onus.toml:11: source.t.trust: there is no `sytem`
    did you mean \"system\"? There are: asserted, shared, system, verified
onus.toml:12: source.t.partners: is empty: the source could say nothing
    write [\"*\"] for all of them
onus.toml:15: source.t.settling: 1h is less than `transit`, 2 days
    make it at least 2 days, or `transit` shorter
onus.toml:20: source.u.cluster: there is no cluster `mian`
    did you mean `main`?";
    assert_eq!(said(text, &[]), want);
}

#[test]
fn sources_that_are_no_list_are_not_left_out() {
    let said = said("[source.tickets]\nkind = \"kafka\"\n", &[]);
    assert!(said.contains("source: is no list of tables") && said.contains("write [[source]]"), "{said}");
}

#[test]
fn a_frame_is_for_topics_and_other_formats_are_for_all() {
    let file = "[[source]]\nname = \"desk\"\nkind = \"file\"\npath = \"Cargo.toml\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";
    assert_eq!(good(file, &[]).sources[0].format, settings::Format::Auto);
    assert_eq!(good(&format!("{file}format = \"json\"\n"), &[]).sources[0].format, settings::Format::Json);
    let want =
        "onus.toml:8: source.desk.format: `confluent` is for topics: a source of kind file reads lines of text, and a \
                frame is bytes, among which a line's end may be
    leave `format` out, and have JSON come here; or read the topic on which the frames lie, as a source of kind kafka";
    let told = said(&format!("{file}format = \"confluent\"\n"), &[]);
    assert!(told.contains(&want[10..]), "{told}");
    let stdin = file.replace("kind = \"file\"\npath = \"Cargo.toml\"", "kind = \"stdin\"");
    let told = said(&format!("{stdin}format = \"confluent\"\n"), &[]);
    assert!(told.contains("a source of kind stdin reads lines of text"), "{told}");
}

#[test]
fn a_clusters_registry_is_a_section_of_its_own() {
    let registry = "[registry.schemas]\nurl = \"http://localhost:8081/\"\nbasic = { username = \"onus\", password-file = \"Cargo.toml\" }\n";
    let cluster = CLUSTER.replace("[kafka.main]\n", "[kafka.main]\nregistry = \"schemas\"\n");
    let settings = good(&format!("{registry}{cluster}{SOURCE}format = \"confluent\"\n"), &[]);
    assert_eq!(settings.registries["schemas"].url, "http://localhost:8081");
    assert_eq!(settings.clusters["main"].registry.as_deref(), Some("schemas"));
    assert_eq!(settings.sources[0].format, onus::settings::Format::Confluent);
    let shown = settings::toml(&read(&format!("{registry}{cluster}{SOURCE}"), &[]).expect("settings"));
    assert!(shown.contains("[registry.schemas]") && !shown.contains("onus-engine"), "{shown}");
    let want = "onus.toml:1: registry.schemas.url: holds a name or a password
    take it out; there is `basic`, with a file for the password";
    assert!(said("[registry.schemas]\nurl = \"http://a:b@localhost:8081\"\n", &[]).contains(&want[14..]));
}

#[test]
fn a_registry_that_is_not_there_and_a_format_without_one() {
    let near = "[registry.schemas]\nurl = \"http://localhost:8081\"\n[kafka.main]\nbrokers = [\"a:1\"]\nregistry = \"schema\"\n";
    assert!(
        said(near, &[]).contains("kafka.main.registry: there is no registry `schema`\n    did you mean `schemas`?")
    );
    let none = "[kafka.main]\nbrokers = [\"a:1\"]\nregistry = \"x\"\n";
    assert!(said(none, &[]).contains("write a section [registry.x] with its url"));
    let without = said(&format!("{CLUSTER}{SOURCE}format = \"confluent\"\n"), &[]);
    assert!(without.contains("source.tickets.format: the cluster `main` has no registry"), "{without}");
    let other = said(&format!("{CLUSTER}{SOURCE}format = \"avro\"\n"), &[]);
    assert!(other.contains("There are: auto, json, confluent"), "{other}");
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    let variables =
        [("ONUS__JUDGE", "x"), ("ONUS__JUDGE__BATCHES", "1"), ("ONUS__JUDGE__CLOCK", "sun"), ("ONUS__STOER__URL", "x")];
    let want = "\
ONUS__JUDGE: names no setting
    write ONUS__JUDGE__SETTLING, ONUS__KAFKA__NAME__GROUP or ONUS__SOURCE__NAME__TOPIC
ONUS__JUDGE__BATCHES: judge.batches: there is no such setting
    did you mean `batch`?
ONUS__STOER__URL: stoer: there is no such section
    did you mean `store`?
ONUS__JUDGE__CLOCK: judge.clock: there is no `sun`
    there are: wall, events";
    assert_eq!(said("", &variables), want);
}

#[test]
fn several_mistakes_of_toml_itself_are_told_with_their_lines() {
    let text = said("[judge]\nbatch = \n[http]\nlisten = \"x\n", &[]);
    assert!(text.contains("onus.toml:2: "), "{text}");
    assert!(text.contains("onus.toml:4: "), "{text}");
}

#[test]
fn a_password_does_not_stand_in_a_url_and_is_not_repeated() {
    for url in ["postgres://onus:geheim@db/onus", "postgres://db/onus?password=geheim", "geheim"] {
        let text = said(&format!("[store]\nurl = \"{url}\"\n"), &[]);
        assert!(text.starts_with("onus.toml:2: store.url: "), "{text}");
        assert!(!text.contains("geheim"), "{text}");
    }
}

#[test]
fn a_source_has_a_share_of_the_turns_and_a_quota_if_it_is_given_one() {
    let file = "[[source]]\nname = \"desk\"\nkind = \"file\"\npath = \"Cargo.toml\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";
    let source = |more: &str| good(&format!("{file}{more}"), &[]).sources[0].clone();
    assert_eq!((source("").share, source("").quota), (1, None));
    let given = source("share = 3\nquota = \"1000/s\"\n");
    assert_eq!((given.share, given.quota), (3, Some((1_000, 1_000))));
    assert_eq!(source("quota = \"90 / h\"\n").quota, Some((90, 3_600_000)));
    assert_eq!(source("quota = \"none\"\n").quota, None);
    let wrong = said(&format!("{file}share = 0\nquota = \"1000\"\n"), &[]);
    assert!(wrong.contains("source.desk.share: 0 is out of range"), "{wrong}");
    assert!(wrong.contains("source.desk.quota: `1000` is no rate; write a whole number and a time: 1000/s"), "{wrong}");
    let nothing = said(&format!("{file}quota = \"0/s\"\n"), &[]);
    assert!(nothing.contains("source.desk.quota: 0/s is out of range"), "{nothing}");
}

#[test]
fn two_sources_do_not_read_the_same() {
    let text = format!("{CLUSTER}{SOURCE}{}", SOURCE.replace("name = \"tickets\"", "name = \"again\""));
    assert!(said(&text, &[]).contains("source.again.kind: source `tickets` reads the same"));
    let text = format!("{CLUSTER}{SOURCE}{SOURCE}");
    assert!(said(&text, &[]).contains("there is another source `tickets`"));
}

#[test]
fn secrets_are_read_from_their_files_and_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), "geheim\n").expect("written");
    let text = "[kafka.main]\nbrokers = [\"a:1\"]\nproperties = { \"some.password\" = \"geheim\" }\n\
                sasl = { mechanism = \"PLAIN\", username = \"onus\", password-file = \"password\" }\n";
    let file = folder.path().join("onus.toml");
    let loaded = settings::read(Some((&file, text)), &[]).expect("settings");
    let Some(Sasl::Password { password, .. }) = &loaded.settings.clusters["main"].sasl else { panic!("it has one") };
    assert_eq!(password.read().as_deref(), Ok("geheim"));
    assert!(!settings::toml(&loaded).contains("geheim"));
    assert!(!settings::json(&loaded).contains("geheim"));
}

fn onus(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
    let out = command.args(arguments).current_dir(folder).output().expect("onus runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().expect("it ended by itself"), text(out.stdout), text(out.stderr))
}

#[test]
fn the_command_shows_and_checks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, out, _) = onus(&["settings", "show"], folder.path());
    assert_eq!((code, out.lines().next()), (0, Some("[contracts]")));
    std::fs::write(folder.path().join("onus.toml"), format!("{CLUSTER}{SOURCE}")).expect("written");
    assert_eq!(onus(&["settings", "check"], folder.path()).1, "onus.toml: fine, 1 source\n");
    let (code, out, _) = onus(&["settings", "show", "--format", "json"], folder.path());
    let shown: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &shown["file"]), (0, &serde_json::json!("onus.toml")));
    let (code, out, err) = onus(&["settings", "check", "--config", "nowhere.toml"], folder.path());
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("nowhere.toml") && err.contains("--config"), "{err}");
}
