//! What the live page shows: the last minutes, second by second.
//!
//! Kept apart from the metrics, which count from the start of the process and know no percentiles.

mod line;
mod names;
mod second;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::config::Detail;
use crate::event::{Event, Happened};
use line::Line;
use names::Names;
use second::{Percentiles, RouteSums, Second, Sums, Times};

/// How far back the page looks.
pub(crate) const WINDOW_SECONDS: u64 = 300;
/// The plugin sends batches: the seconds before now are not complete yet.
const INCOMPLETE_SECONDS: u64 = 2;
/// Over how many seconds the rate is taken, and each point's percentiles: those of a single second jump about.
const ROLLING_SECONDS: u8 = 10;
/// How many of the last seconds are sent again each time, for batches that came late.
const REPEATED_SECONDS: u64 = 30;
/// A gateway's clock that is further off than this is not believed.
const MAX_SKEW_MS: u64 = 30_000;
const MAX_KINDS: usize = 512;
const MAX_ROUTES: usize = 64;
/// Rows of the list of kinds; the rest is one row.
const KIND_ROWS: usize = 12;
const ROUTE_ROWS: usize = 20;
const LINES: usize = 15;

/// The view, with the readers and the server around it.
#[derive(Clone)]
pub(crate) struct SharedView(Arc<Mutex<View>>);

impl SharedView {
    pub(crate) fn new(detail: Detail) -> Self {
        Self(Arc::new(Mutex::new(View::new(detail))))
    }

    /// Nothing that holds it waits.
    pub(crate) fn lock(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last minutes.
pub(crate) struct View {
    detail: Detail,
    /// Without gaps; the first is `first`, seconds since 1970.
    seconds: VecDeque<Second>,
    first: u64,
    kinds: Names,
    routes: Names,
    recent: VecDeque<Line>,
    problems: VecDeque<Line>,
    /// Whether something has come for a second that is sent no more.
    has_old: bool,
}

/// One picture of the view.
#[derive(Debug, Serialize)]
pub(crate) struct Picture {
    /// The last complete second, since 1970.
    now: u64,
    window_seconds: u64,
    /// Requests a second, over the last [`ROLLING_SECONDS`].
    rate: f64,
    points: Vec<Point>,
    sums: Sums,
    nodes: usize,
    mask: Percentiles,
    restore: Percentiles,
    kinds: Vec<KindRow>,
    routes: Vec<RouteRow>,
    recent: Vec<Line>,
    problems: Vec<Line>,
}

/// One second: time, requests, masked, restored, blocked, unresolved, three percentiles of
/// masking, three of restoring, those over [`ROLLING_SECONDS`].
type Point = (u64, u64, u64, u64, u64, u64, [Option<u64>; 3], [Option<u64>; 3]);

#[derive(Debug, Serialize)]
struct KindRow {
    name: String,
    category: &'static str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct RouteRow {
    service: String,
    route: String,
    #[serde(flatten)]
    sums: RouteSums,
}

impl View {
    fn new(detail: Detail) -> Self {
        Self {
            detail,
            seconds: VecDeque::new(),
            first: 0,
            kinds: Names::new(MAX_KINDS),
            routes: Names::new(MAX_ROUTES),
            recent: VecDeque::new(),
            problems: VecDeque::new(),
            has_old: false,
        }
    }

    /// Takes an event that reached Redis, or us, at `arrived_ms` by a clock that ours is `ahead_ms` before.
    pub(crate) fn record(&mut self, event: &Event, arrived_ms: u64, ahead_ms: i64) {
        let now = now_seconds();
        self.advance(now);
        let is_near = event.timestamp.abs_diff(arrived_ms) <= MAX_SKEW_MS;
        let at = if is_near { event.timestamp } else { arrived_ms };
        let at = (at.saturating_add_signed(ahead_ms) / 1000).min(now);
        self.has_old |= at + REPEATED_SECONDS <= now;
        let Some(second) = at.checked_sub(self.first).and_then(|index| usize::try_from(index).ok()) else { return };
        if let Some(second) = self.seconds.get_mut(second) {
            let route = event.detail.route.as_ref().map(|route| {
                let service = event.detail.service.as_deref().unwrap_or_default();
                self.routes.index(&format!("{service}\n{route}"))
            });
            second.record(event, route, |kind| self.kinds.index(kind));
        }

        let line = Line::new(event, self.detail);
        if event.is_problem() {
            push(&mut self.problems, line.clone());
        }
        // an answer's event follows its request's at once; one of the two is enough to see that there is traffic
        if !matches!(event.happened, Happened::RedisError { .. }) || event.is_problem() {
            push(&mut self.recent, line);
        }
    }

    /// The picture now, with all points of the window.
    pub(crate) fn whole(&mut self) -> Picture {
        self.picture(WINDOW_SECONDS)
    }

    /// The picture now, with the points that may have changed since the last one.
    pub(crate) fn latest(&mut self) -> Picture {
        let has_old = std::mem::take(&mut self.has_old);
        self.picture(if has_old { WINDOW_SECONDS } else { REPEATED_SECONDS })
    }

    fn picture(&mut self, shown: u64) -> Picture {
        let now = now_seconds();
        self.advance(now);
        let now = now.saturating_sub(INCOMPLETE_SECONDS);

        let mut sums = Sums::default();
        let mut times = Times::default();
        let mut kinds: HashMap<usize, u64> = HashMap::new();
        let mut routes: HashMap<usize, RouteSums> = HashMap::new();
        let mut nodes = std::collections::HashSet::new();
        let mut points = Vec::new();
        let mut in_rate = 0;
        let mut rolling = Times::default();
        for (index, (at, second)) in (self.first..).zip(&self.seconds).enumerate() {
            sums.add(&second.sums);
            times.add(&second.times);
            rolling.add(&second.times);
            if let Some(left) = index.checked_sub(ROLLING_SECONDS.into()).and_then(|index| self.seconds.get(index)) {
                rolling.take_away(&left.times);
            }
            nodes.extend(second.nodes.iter());
            for (kind, count) in &second.kinds {
                let sum = kinds.entry(*kind).or_default();
                *sum = sum.saturating_add(*count);
            }
            for (route, sums) in &second.routes {
                routes.entry(*route).or_default().add(sums);
            }
            if at <= now && at + u64::from(ROLLING_SECONDS) > now {
                in_rate += second.sums.requests;
            }
            if at <= now && at + shown > now {
                let Sums { requests, masked, restored, blocked, unresolved, .. } = second.sums;
                let (mask, restore) = (rolling.mask_percentiles(), rolling.restore_percentiles());
                points.push((at, requests, masked, restored, blocked, unresolved, mask.three(), restore.three()));
            }
        }
        Picture {
            now,
            window_seconds: WINDOW_SECONDS,
            rate: f64::from(u32::try_from(in_rate).unwrap_or(u32::MAX)) / f64::from(ROLLING_SECONDS),
            points,
            sums,
            nodes: nodes.len(),
            mask: times.mask_percentiles(),
            restore: times.restore_percentiles(),
            kinds: self.kind_rows(kinds),
            routes: self.route_rows(routes),
            recent: self.recent.iter().cloned().collect(),
            problems: self.problems.iter().cloned().collect(),
        }
    }

    fn kind_rows(&self, counts: HashMap<usize, u64>) -> Vec<KindRow> {
        let mut rows: Vec<_> = counts
            .into_iter()
            .map(|(kind, count)| {
                let name = self.kinds.name(kind).to_owned();
                KindRow { category: crate::kind::category(&name), name, count }
            })
            .collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        if rows.len() > KIND_ROWS {
            let rest = rows.split_off(KIND_ROWS - 1);
            let name = format!("{} other kinds", rest.len());
            rows.push(KindRow {
                name,
                category: "other",
                count: rest.iter().fold(0, |sum, row| sum.saturating_add(row.count)),
            });
        }
        rows
    }

    fn route_rows(&self, sums: HashMap<usize, RouteSums>) -> Vec<RouteRow> {
        let mut rows: Vec<_> = sums
            .into_iter()
            .map(|(route, sums)| {
                let name = self.routes.name(route);
                let (service, route) = name.split_once('\n').unwrap_or(("", name));
                RouteRow { service: service.to_owned(), route: route.to_owned(), sums }
            })
            .collect();
        rows.sort_by(|a, b| b.sums.requests.cmp(&a.sums.requests).then_with(|| a.route.cmp(&b.route)));
        rows.truncate(ROUTE_ROWS);
        rows
    }

    /// Lets time pass up to `now`.
    fn advance(&mut self, now: u64) {
        let oldest = now.saturating_sub(WINDOW_SECONDS + INCOMPLETE_SECONDS - 1);
        while self.first < oldest && self.seconds.pop_front().is_some() {
            self.first += 1;
        }
        if self.seconds.is_empty() {
            self.first = oldest;
        }
        let length = usize::try_from((now + 1).saturating_sub(self.first)).unwrap_or(0);
        // a clock that was set back must not end what is known
        if length > self.seconds.len() {
            self.seconds.resize_with(length, Second::default);
        }
    }
}

fn push(lines: &mut VecDeque<Line>, line: Line) {
    if lines.len() == LINES {
        lines.pop_back();
    }
    lines.push_front(line);
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn requests_of(timestamp: u64, arrived_ms: u64, ahead_ms: i64) -> u64 {
        let event = json!({
            "version": 1, "type": "data_masked", "timestamp": timestamp, "node": "00", "source": "00", "sequence": 1,
            "outcome": "masked", "microseconds": 1, "bytes_in": 1, "bytes_out": 1, "masked": u64::MAX >> 12,
            "distinct": 1, "kinds": {"arn": u64::MAX >> 12},
        });
        let mut view = View::new(Detail::Minimal);
        view.record(&Event::parse(event.to_string().as_bytes()).unwrap(), arrived_ms, ahead_ms);
        view.whole().sums.requests
    }

    #[test]
    fn events_are_shown_when_they_arrive_whatever_the_clock_of_redis_says() {
        let now = now_seconds() * 1000;
        for off in [0, 600_000, 86_400_000] {
            let ahead = i64::try_from(off).unwrap();
            // gateways have Redis's clock, or ours
            assert_eq!(requests_of(now - off, now - off, ahead), 1);
            assert_eq!(requests_of(now, now - off, ahead), 1);
            assert_eq!(requests_of(now + off, now + off, -ahead), 1);
        }
        assert_eq!(requests_of(now - 600_000, now - 600_000, 0), 0);
    }

    #[test]
    fn sums_of_large_numbers_stay_large() {
        let mut sums = Sums { masked: u64::MAX - 1, ..Sums::default() };
        sums.add(&Sums { masked: 5, ..Sums::default() });
        assert_eq!(sums.masked, u64::MAX);
    }
}
