//! The order of keys: that in which they are declared, which is the order in which they are read.

use super::source::{Body, Child, Node};
use crate::contract::keys::{Block, Shape, duty};

/// Puts the keys of the language in order, here and below. Names and rows of the author's stay as they are.
pub(super) fn arrange(node: &mut Node, shape: Option<&'static Shape>) {
    let Body::Collection(collection) = &mut node.body else { return };
    if !collection.map {
        let item = shape.and_then(Shape::item);
        collection.children.iter_mut().for_each(|child| arrange(&mut child.value, item));
        return;
    }
    let keys: Vec<&str> = collection.children.iter().filter_map(name).collect();
    match shape.and_then(|shape| shape.block(&keys)) {
        Some(block) => {
            let row = shape.and_then(Shape::row);
            collection.children.sort_by_key(|child| position(block, child));
            for child in &mut collection.children {
                let key = child.key.as_ref().map(|key| key.text.clone()).unwrap_or_default();
                match row {
                    Some(row) if std::ptr::eq(block, &duty::TABLE) && key == "table" => rows(&mut child.value, row),
                    _ => arrange(&mut child.value, block.key(&key).map(|key| key.shape)),
                }
            }
        }
        None => {
            let value = shape.and_then(Shape::value);
            collection.children.iter_mut().for_each(|child| arrange(&mut child.value, value));
        }
    }
}

/// Rows of a table, however deep it is.
fn rows(node: &mut Node, row: &'static Shape) {
    if let Body::Collection(collection) = &mut node.body {
        let keys: Vec<&str> = collection.children.iter().filter_map(name).collect();
        if collection.map && row.block(&keys).is_none() {
            collection.children.iter_mut().for_each(|child| rows(&mut child.value, row));
            return;
        }
    }
    arrange(node, Some(row));
}

/// Keys that mean nothing here are for the linter to tell; they go last.
fn position(block: &Block, child: &Child) -> usize {
    let key = name(child).unwrap_or_default();
    block.keys.iter().position(|known| known.name == key).unwrap_or(usize::MAX)
}

fn name(child: &Child) -> Option<&str> {
    child.key.as_ref().map(|key| key.text.as_str())
}
