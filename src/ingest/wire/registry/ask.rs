//! The questions to a schema registry, by the interface that Confluent's has, and others as well.

use super::super::schema::{Id, Schema, Text};
use super::{Answer, unknown, unusable};
use crate::web::{Client, Target};
use serde::Deserialize;
use std::time::Duration;

/// The longest answer that is read.
const LONGEST: usize = 4 << 20;
/// So many texts a schema may need, all together.
const REFERENCES: usize = 200;
/// One that was registered just now is not known to each node of a registry at once: it is asked for so often.
const TIMES: usize = 3;
const BETWEEN: Duration = Duration::from_millis(300);

/// One that asks.
pub(super) struct Asker {
    target: Target,
    client: Option<Client>,
}

/// What the registry says of a schema.
#[derive(Debug, Deserialize)]
struct Said {
    schema: String,
    #[serde(rename = "schemaType")]
    kind: Option<String>,
    references: Option<Vec<Reference>>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error_code: Option<i64>,
    message: Option<String>,
}

/// Why there is no answer that could be used.
enum Miss {
    /// The registry says that it has no such thing.
    None(String),
    /// What it has cannot be used.
    Bad(String),
    /// Whatever it is, it may pass.
    Away(String),
}

impl Asker {
    pub(super) fn new(target: Target) -> Asker {
        Asker { target, client: None }
    }

    pub(super) fn schema(&mut self, id: Id) -> Answer {
        let mut times = 1;
        loop {
            let missing = match self.whole(id) {
                Ok(text) => {
                    let weight = Schema::weight(&text);
                    return match Schema::of(&text) {
                        Ok(schema) => Answer::Schema(schema, weight),
                        Err(why) => unusable(format!(
                            "schema {id} of {}: {why}; nothing that was written by it can be read here: have its subject \
                             mended, or send these records in another way",
                            self.target.url
                        )),
                    };
                }
                Err(Miss::Bad(why)) => return unusable(format!("schema {id} of {}: {why}", self.target.url)),
                Err(Miss::Away(why)) => return Answer::Away(why),
                Err(Miss::None(what)) => what,
            };
            if times == TIMES {
                return unknown(format!(
                    "{} knows no schema {id} ({missing}): it was deleted, or whoever wrote this asks another registry. \
                     Once it is there, ask for the letter again",
                    self.target.url
                ));
            }
            times += 1;
            std::thread::sleep(BETWEEN);
        }
    }

    /// A schema with all that it names.
    fn whole(&mut self, id: Id) -> Result<Text, Miss> {
        let said = self.ask(&match id {
            Id::Number(id) => format!("/schemas/ids/{id}"),
            Id::Guid(_) => format!("/schemas/guids/{id}"),
        })?;
        let mut text = Text { kind: said.kind.unwrap_or_else(|| "AVRO".to_owned()), ..Text::default() };
        text.text = said.schema;
        // What another one needs comes before it: each waits until those that it names are there.
        let mut open: Vec<(Reference, bool)> = ahead(said.references);
        let texts = &mut text.references;
        while let Some((reference, named)) = open.pop() {
            match (texts.iter().position(|(name, _)| *name == reference.name), named) {
                (Some(at), true) => {
                    let own = texts.remove(at);
                    texts.push(own);
                }
                (Some(_), false) | (None, true) => {}
                (None, false) => {
                    if texts.len() >= REFERENCES {
                        return Err(Miss::Bad(format!("it needs more than {REFERENCES} others")));
                    }
                    let subject = encoded(&reference.subject);
                    let said = self.ask(&format!("/subjects/{subject}/versions/{}?deleted=true", reference.version))?;
                    texts.push((reference.name.clone(), said.schema));
                    open.push((reference, true));
                    open.extend(ahead(said.references));
                }
            }
        }
        Ok(text)
    }

    fn ask(&mut self, path: &str) -> Result<Said, Miss> {
        let url = self.target.url.clone();
        let away = |why: &str| Err(Miss::Away(format!("the schema registry {url}: {why}")));
        let client = match &mut self.client {
            Some(client) => client,
            none => match Client::new(self.target.clone(), "") {
                Ok(client) => none.insert(client),
                Err(why) => return away(&why),
            },
        };
        let answer = match client.get_at(path, LONGEST) {
            Ok(answer) => answer,
            Err(why) => {
                self.client = None;
                return away(&format!("{why}; look whether it runs, and whether `url` is its address"));
            }
        };
        if answer.status == 200 {
            return match serde_json::from_str(&answer.body) {
                Ok(said) => Ok(said),
                Err(_) => away("something answers there that is no schema registry; look at `url`"),
            };
        }
        let refusal: Refusal =
            serde_json::from_str(&answer.body).unwrap_or(Refusal { error_code: None, message: None });
        let message = refusal.message.unwrap_or_default();
        match (answer.status, refusal.error_code) {
            // No schema, no subject, no version. A page that is not there is another answer: then `url` is wrong.
            (404, Some(40401..=40403)) => Err(Miss::None(message)),
            (401 | 403 | 407, _) => away(&format!(
                "it answered {}; look at `basic`, `bearer-token-file` and `tls`, and at its rights",
                answer.status
            )),
            (404, _) => away(
                "it answered 404, and not as a schema registry does; look at `url`, which has no /schemas at its end",
            ),
            (status, _) => away(&format!("it answered {status} {message}; its own log says why")),
        }
    }
}

/// Those that are named, the first one on top.
fn ahead(references: Option<Vec<Reference>>) -> Vec<(Reference, bool)> {
    references.unwrap_or_default().into_iter().rev().map(|reference| (reference, false)).collect()
}

/// A name as it stands in a path.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Which kinds of schema it has, for whoever wants to know before anything is read.
///
/// # Errors
/// It cannot be asked, in words.
pub fn types(target: &Target) -> Result<Vec<String>, String> {
    let mut client = Client::new(target.clone(), "")?;
    let answer = client.get_at("/schemas/types", 1 << 16)?;
    match (answer.status, serde_json::from_str(&answer.body)) {
        (200, Ok(types)) => Ok(types),
        (200, Err(_)) => Err("something answers there that is no schema registry; look at `url`".to_owned()),
        (401 | 403 | 407, _) => Err(format!(
            "it answered {}: it does not take us for who we are; look at `basic`, `bearer-token-file` and `tls`",
            answer.status
        )),
        (404, _) => Err("it answered 404; look at `url`, which has no /schemas at its end".to_owned()),
        (status, _) => Err(format!("it answered {status}; its own log says why")),
    }
}
