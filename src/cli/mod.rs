//! What a person types, and the answers.

pub mod due;
