//! One event as a row of the page's list.

use serde::Serialize;

use crate::config::Detail;
use crate::event::{Event, Happened};

/// Kinds that a row names.
const KINDS: usize = 6;

/// A row. What an event does not have, or `--detail minimal` does not tell, is absent.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// Which event it is, for the page.
    key: String,
    at: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    outcome: String,
    is_problem: bool,
    #[serde(flatten)]
    figures: Figures,
    #[serde(flatten)]
    detail: Option<Detailed>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Figures {
    #[serde(skip_serializing_if = "Option::is_none")]
    microseconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unresolved: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct Detailed {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<(String, u64)>,
}

impl Line {
    pub(super) fn new(event: &Event, detail: Detail) -> Self {
        let figures = match &event.happened {
            Happened::Masked { time, bytes, masked, .. } => Figures {
                microseconds: Some(time.0),
                bytes: Some(bytes.before),
                masked: Some(*masked),
                ..Figures::default()
            },
            Happened::Unmasked { time, bytes, restored, unresolved } => Figures {
                microseconds: Some(time.0),
                bytes: Some(bytes.before),
                restored: Some(*restored),
                unresolved: Some(*unresolved),
                ..Figures::default()
            },
            Happened::RestoreSkipped { reason } | Happened::MaskBlocked { reason } => {
                Figures { reason: Some(reason.clone()), ..Figures::default() }
            }
            Happened::RedisError { operation, reason, count } => Figures {
                reason: Some(reason.clone()),
                operation: Some(operation.clone()),
                count: Some(*count),
                ..Figures::default()
            },
        };
        let detail = (detail == Detail::Detailed).then(|| Detailed {
            request_id: event.detail.request_id.clone(),
            route: event.detail.route.clone(),
            status: event.detail.status,
            kinds: event.detail.kinds.iter().take(KINDS).cloned().collect(),
        });
        Self {
            key: format!("{}-{}", event.source, event.sequence),
            at: event.timestamp,
            kind: event.kind(),
            outcome: event.outcome.clone(),
            is_problem: event.is_problem(),
            figures,
            detail,
        }
    }
}
