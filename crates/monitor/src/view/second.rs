//! What happened in one second.

use std::collections::{HashMap, HashSet};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::event::{Event, Happened, Microseconds};

/// Longest time that is told from longer ones.
const MAX_MICROSECONDS: u64 = 60_000_000;
/// Nodes that a second remembers: far more than send events in it, unless somebody makes them up.
const MAX_NODES: usize = 256;
/// Percentiles are exact to one part in a hundred.
const SIGNIFICANT_DIGITS: u8 = 2;

/// One second. Almost all memory of the view is in the two histograms; a second without traffic has none.
#[derive(Default)]
pub(super) struct Second {
    pub(super) sums: Sums,
    pub(super) times: Times,
    pub(super) kinds: HashMap<usize, u64>,
    pub(super) routes: HashMap<usize, RouteSums>,
    /// At most [`MAX_NODES`].
    pub(super) nodes: HashSet<String>,
}

/// Counts of a stretch of time.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Sums {
    pub(super) requests: u64,
    pub(super) requests_masked: u64,
    pub(super) requests_unchanged: u64,
    pub(super) requests_dry_run: u64,
    pub(super) blocked: u64,
    pub(super) allowed: u64,
    pub(super) masked: u64,
    /// What dry runs would have masked.
    pub(super) would_mask: u64,
    pub(super) restored: u64,
    pub(super) unresolved: u64,
    pub(super) answers: u64,
    pub(super) answers_incomplete: u64,
    pub(super) answers_failed: u64,
    pub(super) answers_skipped: u64,
    pub(super) redis_errors: u64,
    pub(super) dropped: u64,
}

/// Counts of one route.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct RouteSums {
    pub(super) requests: u64,
    masked: u64,
    blocked: u64,
    unresolved: u64,
    /// Time masking took, together, and of how many requests: for the mean.
    mask_microseconds: u64,
    timed: u64,
}

/// Times of masking and restoring.
#[derive(Default)]
pub(super) struct Times {
    mask: Option<Histogram<u32>>,
    restore: Option<Histogram<u32>>,
}

/// Some percentiles, in microseconds; none where nothing was measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Percentiles {
    count: u64,
    p50: Option<u64>,
    p95: Option<u64>,
    p99: Option<u64>,
    max: Option<u64>,
}

impl Second {
    pub(super) fn record(&mut self, event: &Event, route: Option<usize>, mut kind: impl FnMut(&str) -> usize) {
        let sums = &mut self.sums;
        sums.dropped = sums.dropped.saturating_add(event.dropped);
        let of_route = route.map(|route| self.routes.entry(route).or_default());
        if self.nodes.len() < MAX_NODES && !self.nodes.contains(&event.node) {
            self.nodes.insert(event.node.clone());
        }
        match &event.happened {
            Happened::Masked { time, masked, .. } => {
                sums.requests += 1;
                record(&mut self.times.mask, *time);
                match event.outcome.as_str() {
                    "masked" => {
                        sums.requests_masked += 1;
                        sums.masked = sums.masked.saturating_add(*masked);
                    }
                    "dry_run" => {
                        sums.requests_dry_run += 1;
                        sums.would_mask = sums.would_mask.saturating_add(*masked);
                    }
                    _ => sums.requests_unchanged += 1,
                }
                for (name, count) in &event.detail.kinds {
                    let sum = self.kinds.entry(kind(name)).or_default();
                    *sum = sum.saturating_add(*count);
                }
                if let Some(route) = of_route {
                    route.requests += 1;
                    let masked = if event.outcome == "masked" { *masked } else { 0 };
                    route.masked = route.masked.saturating_add(masked);
                    route.mask_microseconds += time.0.min(MAX_MICROSECONDS);
                    route.timed += 1;
                }
            }
            Happened::Unmasked { time, restored, unresolved, .. } => {
                sums.answers += 1;
                record(&mut self.times.restore, *time);
                sums.restored = sums.restored.saturating_add(*restored);
                sums.unresolved = sums.unresolved.saturating_add(*unresolved);
                sums.answers_incomplete += u64::from(event.outcome == "incomplete");
                sums.answers_failed += u64::from(event.outcome == "failed");
                if let Some(route) = of_route {
                    route.unresolved = route.unresolved.saturating_add(*unresolved);
                }
            }
            Happened::RestoreSkipped { .. } => {
                sums.answers += 1;
                sums.answers_skipped += 1;
            }
            Happened::MaskBlocked { .. } => {
                sums.requests += 1;
                let is_blocked = event.outcome == "blocked";
                sums.blocked += u64::from(is_blocked);
                sums.allowed += u64::from(!is_blocked);
                if let Some(route) = of_route {
                    route.requests += 1;
                    route.blocked += u64::from(is_blocked);
                }
            }
            Happened::RedisError { count, .. } => sums.redis_errors = sums.redis_errors.saturating_add(*count),
        }
    }
}

fn record(histogram: &mut Option<Histogram<u32>>, time: Microseconds) {
    if histogram.is_none() {
        // fails only for bounds that make no sense
        *histogram = Histogram::new_with_bounds(1, MAX_MICROSECONDS, SIGNIFICANT_DIGITS).ok();
    }
    if let Some(histogram) = histogram {
        histogram.saturating_record(time.0);
    }
}

macro_rules! add_fields {
    ($to:ident += $from:ident: $($field:ident)*) => { $($to.$field = $to.$field.saturating_add($from.$field);)* };
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        add_fields!(self += other: requests requests_masked requests_unchanged requests_dry_run blocked allowed masked
            would_mask restored unresolved answers answers_incomplete answers_failed answers_skipped redis_errors dropped);
    }
}

impl RouteSums {
    pub(super) fn add(&mut self, other: &Self) {
        add_fields!(self += other: requests masked blocked unresolved mask_microseconds timed);
    }
}

impl Times {
    pub(super) fn add(&mut self, other: &Self) {
        for (to, from) in [(&mut self.mask, &other.mask), (&mut self.restore, &other.restore)] {
            match (to, from) {
                // both have the same bounds
                (Some(to), Some(from)) => drop(to.add(from)),
                (to @ None, Some(from)) => *to = Some(from.clone()),
                (_, None) => {}
            }
        }
    }

    /// Undoes [`Self::add`].
    pub(super) fn take_away(&mut self, other: &Self) {
        for (from, what) in [(&mut self.mask, &other.mask), (&mut self.restore, &other.restore)] {
            if let (Some(from), Some(what)) = (from, what) {
                // fails only for what was never added
                let _ = from.subtract(what);
            }
        }
    }

    pub(super) fn mask_percentiles(&self) -> Percentiles {
        Percentiles::of(self.mask.as_ref())
    }

    pub(super) fn restore_percentiles(&self) -> Percentiles {
        Percentiles::of(self.restore.as_ref())
    }
}

impl Percentiles {
    fn of(histogram: Option<&Histogram<u32>>) -> Self {
        let Some(histogram) = histogram.filter(|histogram| !histogram.is_empty()) else { return Self::default() };
        let at = |percentile| Some(histogram.value_at_percentile(percentile));
        Self { count: histogram.len(), p50: at(50.0), p95: at(95.0), p99: at(99.0), max: Some(histogram.max()) }
    }

    pub(super) fn three(self) -> [Option<u64>; 3] {
        [self.p50, self.p95, self.p99]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(mask: &[u64]) -> Times {
        let mut times = Times::default();
        for time in mask {
            record(&mut times.mask, Microseconds(*time));
        }
        times
    }

    #[test]
    fn what_is_added_and_taken_away_leaves_the_percentiles_of_the_rest() {
        let mut random = fastrand::Rng::with_seed(8);
        let seconds: Vec<Vec<u64>> = (0..60)
            .map(|_| {
                let count = random.usize(0..40);
                (0..count).map(|_| random.u64(..) >> random.u32(40..63)).collect()
            })
            .collect();
        let mut rolling = Times::default();
        for (index, second) in seconds.iter().enumerate() {
            rolling.add(&times(second));
            let first = index.saturating_sub(9);
            if index >= 10 {
                rolling.take_away(&times(&seconds[index - 10]));
            }
            let whole = times(&seconds[first..=index].concat()).mask_percentiles();
            let found = rolling.mask_percentiles();
            assert_eq!((found.count, found.three()), (whole.count, whole.three()), "after {index} seconds");
        }
    }

    #[test]
    fn nodes_that_somebody_makes_up_take_little_memory() {
        let mut second = Second::default();
        for node in 0..10_000 {
            let event = serde_json::json!({
                "version": 1, "type": "restore_skipped", "timestamp": 0, "node": format!("{node:x}"), "source": "00ff",
                "sequence": 1, "outcome": "skipped", "reason": "coding",
            });
            second.record(&Event::parse(event.to_string().as_bytes()).unwrap(), None, |_| 0);
        }
        assert_eq!(second.nodes.len(), MAX_NODES);
        assert_eq!(second.sums.answers_skipped, 10_000);
    }

    #[test]
    fn longer_times_than_can_be_told_apart_count_as_the_longest() {
        let found = times(&[u64::MAX, 0]).mask_percentiles();
        assert_eq!(found.count, 2);
        assert!(found.max.unwrap() >= MAX_MICROSECONDS);
    }
}
