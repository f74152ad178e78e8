//! The style sheet, the script and the icon, which are part of the program.

use axum::{Router, response::IntoResponse, routing::get};
use http::header::CONTENT_TYPE;

/// `/assets/…`, outside of the session layer.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/assets/site.css", get(async || file("text/css", include_str!("../../assets/site.css"))))
        .route("/assets/site.js", get(async || file("text/javascript", include_str!("../../assets/site.js"))))
        .route("/assets/leaf.svg", get(async || file("image/svg+xml", include_str!("../../assets/leaf.svg"))))
}

fn file(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type)], content)
}
