//! `/healthz`, `/readyz` and `/metrics`.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// What Prometheus expects of a page.
const PAGE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes. `unready` says why the process cannot do its work; nothing: it can. `page` gives the figures, or says why
/// it cannot. Neither may wait for anybody.
pub fn routes(
    unready: impl Fn() -> Vec<String> + Send + Sync + 'static,
    page: impl Fn() -> Result<String, String> + Send + Sync + 'static,
) -> Router {
    let (unready, page) = (Arc::new(unready), Arc::new(page));
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(move || std::future::ready(readiness(&unready()))))
        .route("/metrics", get(move || std::future::ready(figures(page()))))
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

fn figures(page: Result<String, String>) -> Response {
    match page {
        Ok(text) => ([(header::CONTENT_TYPE, PAGE)], text).into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why + "\n").into_response(),
    }
}
