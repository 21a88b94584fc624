//! A request's body, no longer than it may be.

use super::answer::Answer;
use super::only;
use crate::ingest::wire::Packing;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use std::future::poll_fn;
use std::pin::Pin;

/// How long the body says it is; refused before a byte of it is read, if that is too long.
pub(super) fn length(headers: &HeaderMap, most: usize) -> Result<Option<usize>, Answer> {
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
    let length = length.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    let Some(length) = length else { return Err(Answer::refused("`content-length` is no number", Vec::new())) };
    if length > most as u64 { Err(too_large(most)) } else { Ok(Some(length as usize)) }
}

/// Reads it to its end.
pub(super) async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Answer> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Cut off, or not in the form that the head has promised.
        let frame = frame.map_err(|_| Answer::refused("the body could not be read to its end", Vec::new()))?;
        let Ok(piece) = frame.into_data() else { continue };
        if bytes.len() + piece.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// How the body is packed, if it is.
pub(super) fn packing(headers: &HeaderMap) -> Result<Option<Packing>, Answer> {
    match only(headers, &header::CONTENT_ENCODING)? {
        None => Ok(None),
        Some(encoding) if encoding.eq_ignore_ascii_case(b"identity") => Ok(None),
        Some(encoding) => std::str::from_utf8(encoding).ok().and_then(Packing::named).map(Some).ok_or_else(|| {
            Answer::form(
                "that `content-encoding` is not read: send the body in gzip or zstd, or as it is, without that header",
            )
        }),
    }
}

/// The body as it was before it was packed.
pub(super) fn unpacked(packing: Option<Packing>, bytes: Vec<u8>, most: usize) -> Result<Vec<u8>, Answer> {
    let Some(packing) = packing else { return Ok(bytes) };
    packing.undone(&bytes, most).map_err(|fault| {
        let why = format!("the body {}; nothing is written down", fault.why);
        if fault.is_too_large() { Answer::too_large(&why) } else { Answer::refused(&why, Vec::new()) }
    })
}

fn too_large(most: usize) -> Answer {
    Answer::too_large(&format!(
        "more than the {most} bytes that one request may have: send the events in several requests"
    ))
}
