//! What is shown around the boards: provisioning and compose.

use super::servers::tool;
use super::tree;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn yaml(path: &str) -> Value {
    tree::json(&fs::read_to_string(here(path)).unwrap()).unwrap_or_else(|| panic!("{path} is no YAML"))
}

/// There is no Docker where this is tested: what can be held against the files themselves is.
#[test]
fn the_compose_file_mounts_what_is_there_and_waits_for_what_it_names() {
    const FOLDER: &str = "examples/compose";
    let compose = yaml("examples/compose/docker-compose.yml");
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        assert!(service["image"].is_string(), "{name}");
        for mount in service["volumes"].as_array().into_iter().flatten() {
            let mount = mount.as_str().unwrap();
            let source = mount.split(':').next().unwrap();
            if source.starts_with('.') {
                assert!(here(FOLDER).join(source).exists(), "{name}: {mount}");
                assert!(mount.ends_with(":ro"), "{name}: {mount} could be written");
            } else {
                assert!(compose["volumes"][source].is_object(), "{name}: {mount}");
            }
        }
        let after: Vec<String> = match &service["depends_on"] {
            Value::Array(names) => names.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
            Value::Object(map) => map.keys().cloned().collect(),
            _ => Vec::new(),
        };
        for other in after {
            let how = &service["depends_on"][&other]["condition"];
            assert!(services.contains_key(&other), "{name} waits for {other}");
            assert!(
                how != "service_healthy" || services[&other]["healthcheck"].is_object(),
                "{other} is never healthy"
            );
        }
    }
    for name in ["kafka", "postgres", "onus", "prometheus", "alertmanager", "grafana"] {
        assert!(services.contains_key(name), "{name}");
    }
    assert!(
        here("examples/compose")
            .join(services["story"]["build"]["context"].as_str().unwrap())
            .join("Cargo.toml")
            .exists()
    );
}

#[test]
fn the_settings_of_the_compose_file_are_settings_and_so_is_what_prometheus_and_grafana_get() {
    let settings = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["settings", "check", "--config", "examples/compose/onus.toml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(settings.status.success(), "{}", String::from_utf8_lossy(&settings.stderr));
    let config = here("examples/compose/prometheus/prometheus.yml");
    let (fine, said) = tool("promtool", "prometheus", &["check", "config", "--syntax-only", config.to_str().unwrap()]);
    assert!(fine, "{said}");
    let sources = yaml("examples/compose/grafana/provisioning/datasources/prometheus.yml");
    assert_eq!(sources["datasources"][0]["type"], "prometheus");
    let boards = yaml("examples/compose/grafana/provisioning/dashboards/onus.yml");
    let path = boards["providers"][0]["options"]["path"].as_str().unwrap();
    let compose = yaml("examples/compose/docker-compose.yml");
    let mounts = compose["services"]["grafana"]["volumes"].as_array().unwrap();
    assert!(mounts.iter().any(|mount| mount.as_str().unwrap().contains(&format!(":{path}:"))), "{path}");
}
