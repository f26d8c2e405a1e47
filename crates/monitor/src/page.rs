//! The files of the live page, inside the program.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

macro_rules! files {
    ($($name:literal $content_type:expr,)*) => {
        [$(($name, $content_type, include_bytes!(concat!("../page/", $name)).as_slice()),)*]
    };
}

const FILES: [(&str, &str, &[u8]); 11] = files! {
    "index.html" "text/html; charset=utf-8",
    "icon.svg" "image/svg+xml",
    "page.css" CSS,
    "theme.js" JAVASCRIPT,
    "page.js" JAVASCRIPT,
    "charts.js" JAVASCRIPT,
    "rows.js" JAVASCRIPT,
    "format.js" JAVASCRIPT,
    "uPlot.min.css" CSS,
    "uPlot.iife.min.js" JAVASCRIPT,
    // its licence goes where it goes
    "uPlot.LICENSE" "text/plain; charset=utf-8",
};

/// The file, or 404.
pub(crate) async fn file(name: &str) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, content_type, bytes)) => ([(header::CONTENT_TYPE, *content_type)], *bytes).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
    }
}
