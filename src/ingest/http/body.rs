//! A request's body, no longer than it may be.

use super::answer::Answer;
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

fn too_large(most: usize) -> Answer {
    Answer::too_large(&format!(
        "more than the {most} bytes that one request may have: send the events in several requests"
    ))
}
