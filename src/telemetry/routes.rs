//! `/healthz`, `/readyz` and `/metrics`.

use super::{Figures, Readiness};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use onus_engine::time::Moment;
use std::sync::Arc;

/// What Prometheus expects of a page.
const PAGE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes. `clock` is the wall clock, by which ages are told.
pub fn routes(readiness: Arc<Readiness>, figures: Arc<Figures>, clock: fn() -> Moment) -> Router {
    let ready = move || {
        let reasons = readiness.reasons();
        async move {
            if reasons.is_empty() {
                return (StatusCode::OK, "ready\n".to_owned());
            }
            // Reasons may quote what others have written: one line each.
            let line = |reason: &String| {
                let plain: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                format!("{plain}\n")
            };
            let text = reasons.iter().map(line).collect();
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    };
    let page = move || {
        let page = figures.page(clock());
        async move {
            match page {
                Ok(text) => ([(header::CONTENT_TYPE, PAGE)], text).into_response(),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
            }
        }
    };
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(page))
}
