//! A file of messages without what is not needed to read by it, and no larger than any file is. Schemas come from a registry, and
//! whoever may write to a topic may often register one: what is not read cannot harm.

use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, OneofDescriptorProto,
    UninterpretedOption,
};

/// No file needs more messages, fields, values and ranges; each is held against the others.
const MOST: usize = 20_000;
/// Messages lie no deeper in each other: Protobuf's compiler takes no more.
const DEEP: usize = 32;

/// Takes out remarks, services and options that say nothing of how values lie; refuses what is too large.
pub(super) fn plain(file: &mut FileDescriptorProto) -> Result<(), String> {
    // Places in the text are of use to people who read it.
    file.source_code_info = None;
    file.service.clear();
    file.options.iter_mut().for_each(|options| simple(&mut options.uninterpreted_option));
    let mut left = MOST;
    fields(&mut file.extension, &mut left)?;
    enums(&mut file.enum_type, &mut left)?;
    messages(&mut file.message_type, 1, &mut left)
}

/// Options of somebody's own may be messages, nested without end, and name types that are nowhere.
fn simple(options: &mut Vec<UninterpretedOption>) {
    options.retain(|option| {
        matches!(option.name.as_slice(), [one] if !one.is_extension) && option.aggregate_value.is_none()
    });
}

fn messages(all: &mut [DescriptorProto], depth: usize, left: &mut usize) -> Result<(), String> {
    if depth > DEEP && !all.is_empty() {
        return Err(format!("its messages lie more than {DEEP} deep in each other"));
    }
    for one in all {
        count(1 + one.extension_range.len() + one.reserved_range.len() + one.reserved_name.len(), left)?;
        one.options.iter_mut().for_each(|options| simple(&mut options.uninterpreted_option));
        one.extension_range.iter_mut().for_each(|range| range.options = None);
        oneofs(&mut one.oneof_decl, left)?;
        fields(&mut one.field, left)?;
        fields(&mut one.extension, left)?;
        enums(&mut one.enum_type, left)?;
        messages(&mut one.nested_type, depth + 1, left)?;
    }
    Ok(())
}

fn oneofs(all: &mut [OneofDescriptorProto], left: &mut usize) -> Result<(), String> {
    count(all.len(), left)?;
    all.iter_mut().for_each(|one| one.options = None);
    Ok(())
}

fn fields(all: &mut [FieldDescriptorProto], left: &mut usize) -> Result<(), String> {
    count(all.len(), left)?;
    all.iter_mut().filter_map(|one| one.options.as_mut()).for_each(|options| simple(&mut options.uninterpreted_option));
    Ok(())
}

fn enums(all: &mut [EnumDescriptorProto], left: &mut usize) -> Result<(), String> {
    for one in all {
        count(1 + one.value.len() + one.reserved_range.len() + one.reserved_name.len(), left)?;
        one.options.iter_mut().for_each(|options| simple(&mut options.uninterpreted_option));
        one.value.iter_mut().for_each(|value| value.options = None);
    }
    Ok(())
}

fn count(more: usize, left: &mut usize) -> Result<(), String> {
    *left = left.checked_sub(more).ok_or_else(|| {
        format!("it has more than {MOST} messages, fields, values and ranges: have the producer use a smaller file")
    })?;
    Ok(())
}
