//! `/healthz`, `/readyz`, `/metrics`, and a partner's own figures.

use super::page::Form;
use super::tokens::{Refused, Tokens};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Who has the pages. None of this may wait for anybody.
pub trait Pages: Send + Sync + 'static {
    /// Everything.
    fn all(&self, form: Form) -> String;
    /// One partner's figures; None: there is no such partner.
    fn of_partner(&self, form: Form, partner: &str) -> Option<String>;
    /// Somebody was refused.
    fn denied(&self, reason: &'static str);
}

/// Who may see what.
#[derive(Debug, Default)]
pub struct Access {
    /// Tokens of partners, and of whoever may see all; None: nobody has one, and partners' pages are nobody's.
    pub tokens: Option<Tokens>,
    /// `/metrics` wants a token, too.
    pub closed: bool,
}

struct Door<P> {
    pages: Arc<P>,
    access: Access,
}

/// The routes. `unready` says why the process cannot do its work; nothing: it can. It may not wait for anybody.
pub fn routes<P: Pages>(
    unready: impl Fn() -> Vec<String> + Send + Sync + 'static,
    pages: Arc<P>,
    access: Access,
) -> Router {
    let unready = Arc::new(unready);
    let figures = Router::new()
        .route("/metrics", get(all::<P>))
        .route("/partners/{partner}/metrics", get(of_partner::<P>))
        .with_state(Arc::new(Door { pages, access }));
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(move || std::future::ready(readiness(&unready()))))
        .merge(figures)
}

fn readiness(reasons: &[String]) -> Response {
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    // Reasons may quote what others have written: one line each.
    let plain = |reason: &String| reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let text: String = reasons.iter().map(|reason| plain(reason) + "\n").collect();
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn all<P: Pages>(State(door): State<Arc<Door<P>>>, headers: HeaderMap) -> Response {
    if door.access.closed
        && let Err(refused) = door.access.look(&headers, None)
    {
        return door.nothing(refused.word());
    }
    let form = wanted(&headers);
    shown(form, door.pages.all(form))
}

async fn of_partner<P: Pages>(
    State(door): State<Arc<Door<P>>>,
    partner: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    // What is no text is nobody's name.
    let partner = partner.map(|Path(name)| name).unwrap_or_default();
    if let Err(refused) = door.access.look(&headers, Some(&partner)) {
        return door.nothing(refused.word());
    }
    let form = wanted(&headers);
    match door.pages.of_partner(form, &partner) {
        Some(page) => shown(form, page),
        None => door.nothing("nobody"),
    }
}

impl Access {
    fn look(&self, headers: &HeaderMap, partner: Option<&str>) -> Result<(), Refused> {
        let Some(tokens) = &self.tokens else { return Err(Refused::Unknown) };
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(one), None) = (all.next(), all.next()) else { return Err(Refused::Missing) };
        let (scheme, token) = one.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refused::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refused::Missing);
        }
        tokens.look(token.trim(), partner)
    }
}

impl<P: Pages> Door<P> {
    /// Whatever the reason, the same: nobody learns from it whether a partner or a token exists.
    fn nothing(&self, reason: &'static str) -> Response {
        self.pages.denied(reason);
        (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], "not found\n").into_response()
    }
}

fn wanted(headers: &HeaderMap) -> Form {
    let all: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    Form::wanted(&all.join(","))
}

fn shown(form: Form, text: String) -> Response {
    ([(header::CONTENT_TYPE, form.content_type()), (header::CACHE_CONTROL, "no-store")], text).into_response()
}
