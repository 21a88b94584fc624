//! What is answered, and in what words.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use std::time::Duration;

/// What is wrong with one event, or with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// Which event, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<usize>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    /// What is wrong and what to do.
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn of(item: usize, reason: impl Into<String>) -> Problem {
        Problem { item: Some(item), line: None, reason: reason.into() }
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    retry: Option<u32>,
    body: String,
}

#[derive(Serialize)]
struct Written {
    events: usize,
    dead_letters: Vec<Problem>,
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "<[Problem]>::is_empty")]
    problems: &'a [Problem],
}

impl Answer {
    /// They are written down.
    pub(super) fn written(events: usize, dead_letters: Vec<Problem>) -> Answer {
        Answer { status: StatusCode::ACCEPTED, retry: None, body: json(&Written { events, dead_letters }) }
    }

    /// It cannot be taken as events: nothing of it is written down.
    pub(super) fn refused(error: &str, problems: Vec<Problem>) -> Answer {
        Answer::because(StatusCode::BAD_REQUEST, error, &problems)
    }

    /// Nobody that we know.
    pub(super) fn stranger() -> Answer {
        let error = "no valid token: send the header `Authorization: Bearer TOKEN` with the token of your source";
        Answer::because(StatusCode::UNAUTHORIZED, error, &[])
    }

    /// More than is taken at once.
    pub(super) fn too_large(error: &str) -> Answer {
        Answer::because(StatusCode::PAYLOAD_TOO_LARGE, error, &[])
    }

    /// Not in a form that is read.
    pub(super) fn form(error: &str) -> Answer {
        Answer::because(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, &[])
    }

    /// The body did not come.
    pub(super) fn slow(within: Duration) -> Answer {
        let error = format!("the body did not come within {} s; nothing is written down", within.as_secs());
        Answer::because(StatusCode::REQUEST_TIMEOUT, &error, &[])
    }

    /// No room at this moment.
    pub(super) fn busy(why: &str) -> Answer {
        let error = format!("{why}: send these events again in a second; nothing of them is written down");
        Answer { retry: Some(1), ..Answer::because(StatusCode::TOO_MANY_REQUESTS, &error, &[]) }
    }

    /// More than its source's quota allows for now.
    pub(super) fn over_quota(wait: Duration) -> Answer {
        // Begun seconds count: who comes back then is let in.
        let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        let error = format!(
            "the quota of this source is used up: send these events again in {seconds} s; nothing of them is written down"
        );
        Answer { retry: Some(seconds), ..Answer::because(StatusCode::TOO_MANY_REQUESTS, &error, &[]) }
    }

    /// Not written down, or not known to be.
    pub(super) fn later(why: &str) -> Answer {
        let error = format!("{why}: send these events again; what is written down twice counts once");
        Answer { retry: Some(5), ..Answer::because(StatusCode::SERVICE_UNAVAILABLE, &error, &[]) }
    }

    fn because(status: StatusCode, error: &str, problems: &[Problem]) -> Answer {
        Answer { status, retry: None, body: json(&Refused { error, problems }) }
    }

    pub(super) fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"onus\""));
        }
        response
    }
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("plain data with text keys is always JSON");
    text.push('\n');
    text
}
