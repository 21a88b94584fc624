//! Against a real registry, with schemas of each kind, and with references.

use crate::desk::{found, frame, json, recorded, wrong};
use crate::registry::Real;
use crate::schemas::records;
use onus::ingest::wire::{Format, Registry, Wire};
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn what_a_real_registry_says_is_understood() {
    let real = Real::new();
    assert_eq!(onus::ingest::wire::types(&real.target()).map(|types| types.len()), Ok(3));
    let recorded = recorded();
    let answers = recorded["answers"].as_object().expect("answers");
    // Those that others name come first, under their own subjects.
    for name in ["of/person", "of/team", "common.proto"] {
        let subject = name.replace('/', "%2F");
        let answer = &answers[&format!("/subjects/{subject}/versions/1?deleted=true")];
        real.register(&subject, answer);
    }
    let wire = Wire::new(Format::Confluent, Some(Arc::new(Registry::new(real.target()))));
    let mut ids = BTreeMap::new();
    for (name, value, means) in records() {
        let id = u32::from_be_bytes(value[1..5].try_into().expect("four bytes"));
        let id = real.register(&format!("{name}-value"), &answers[&format!("/schemas/ids/{id}")]);
        ids.insert(name.clone(), id);
        assert_eq!(json(found(&wire, &frame(id, &value[5..]), &[])), means, "{name}");
    }
    assert!(ids.len() >= 8, "{ids:?}");
    let (reason, why) = wrong(found(&wire, &frame(99_999, b""), &[]));
    assert_eq!(reason, "UnknownSchema", "{why}");
    // A wrong address is trouble, and makes no dead letters.
    let elsewhere = onus::web::Target { url: real.url().replace("/v7", "/v0"), ..real.target() };
    assert!(onus::ingest::wire::types(&elsewhere).is_err());
}
