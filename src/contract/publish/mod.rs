//! What is published of the language, written from the declared keys: a schema for editors, a page for people.

mod page;
mod schema;

pub use page::{mapper_page, page as key_page};
pub use schema::{catalogue_schema, mapper_schema, part_schema, schema};
