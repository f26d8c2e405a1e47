//! The consumer group: nothing is lost, nothing is counted twice, work is shared.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use serde_json::{Value, json};
use support::*;

const EVENTS: &str = "aws_masker_events_total";

/// Adds events, a few at a time, until it is told to stop; returns their request ids.
struct Load {
    is_over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<String>>,
}

impl Load {
    fn start(redis: &Redis) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (mut connection, over) = (redis.connect(), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            let mut ids = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let events: Vec<_> = plain(20).collect();
                ids.extend(events.iter().map(|event| event["request_id"].as_str().unwrap().to_owned()));
                add(&mut connection, events);
                sleep(Duration::from_millis(5));
            }
            ids
        });
        Self { is_over, thread }
    }

    fn stop(self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

const DETAILED: [&str; 4] = ["--detail", "detailed", "--log-rate", "1000000"];

#[test]
fn what_was_there_before_the_first_start_and_between_two_lives_is_read() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(100));
    let first = Monitor::start(&redis, &[]);
    first.wait_for_sum(EVENTS, 100.0);
    assert_eq!(first.stop().0, Some(0));
    assert_eq!(redis.backlog(), (0, 0));

    add(&mut connection, plain(1500));
    let second = Monitor::start(&redis, &[]);
    second.wait_for_sum(EVENTS, 1500.0);
    wait_for("all to be acknowledged", || (redis.backlog() == (0, 0)).then_some(()));
}

#[test]
fn two_monitors_share_the_work() {
    let redis = Redis::start();
    let monitors = ["one", "two"].map(|name| Monitor::start(&redis, &["--consumer", name, "--batch-size", "10"]));
    for monitor in &monitors {
        monitor.wait_until_ready();
    }
    let load = Load::start(&redis);
    sleep(Duration::from_secs(1));
    let sent = load.stop().len();
    let counts = wait_for("all to be counted", || {
        let counts = [0, 1].map(|index| monitors[index].metrics().sum(EVENTS));
        (counts.iter().sum::<f64>() >= sent as f64).then_some(counts)
    });
    assert_eq!(counts.iter().sum::<f64>(), sent as f64);
    assert!(counts.iter().all(|count| *count > 0.0), "{counts:?}");

    // whichever page one opens, it shows all
    for monitor in &monitors {
        wait_for("the page to show all", || (monitor.live(1)[0]["sums"]["requests"] == json!(sent)).then_some(()));
    }
}

#[test]
fn a_stop_under_load_leaves_nothing_pending_and_counts_each_event_once() {
    let redis = Redis::start();
    let load = Load::start(&redis);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let monitor = Monitor::start(&redis, &DETAILED);
        sleep(Duration::from_millis(700));
        let (code, log) = monitor.stop();
        assert_eq!(code, Some(0));
        assert_eq!(redis.backlog().0, 0, "fetched and not acknowledged");
        seen.extend(log_lines(&log).iter().filter_map(|line| Some(line["request_id"].as_str()?.to_owned())));
    }
    let mut sent = load.stop();
    let last = Monitor::start(&redis, &DETAILED);
    wait_for("the rest", || (redis.backlog() == (0, 0)).then_some(()));
    seen.extend(request_ids(&last.stop().1));
    seen.sort();
    sent.sort();
    assert!(seen == sent, "{} events were sent and {} logged", sent.len(), seen.len());
}

#[test]
fn a_crash_under_load_loses_no_event() {
    let redis = Redis::start();
    let load = Load::start(&redis);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let monitor = Monitor::start(&redis, &DETAILED);
        sleep(Duration::from_millis(500));
        seen.append(&mut request_ids(&monitor.kill()));
        sleep(Duration::from_millis(300));
    }
    let sent: std::collections::BTreeSet<_> = load.stop().into_iter().collect();
    let last = Monitor::start(&redis, &DETAILED);
    wait_for("the rest", || (redis.backlog() == (0, 0)).then_some(()));
    seen.append(&mut request_ids(&last.stop().1));
    assert!(seen == sent, "{} events were sent and {} logged", sent.len(), seen.len());
}

#[test]
fn its_own_unacknowledged_events_are_taken_up_at_the_start() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(30));
    fetch_and_die(&mut connection, "me", 20);
    let monitor = Monitor::start(&redis, &["--consumer", "me", "--claim-idle", "86400", "--batch-size", "7"]);
    monitor.wait_for_sum(EVENTS, 30.0);
    assert_eq!(monitor.metrics().sum("aws_masker_monitor_claimed_events_total"), 0.0);
    wait_for("all to be acknowledged", || (redis.backlog() == (0, 0)).then_some(()));
}

#[test]
fn a_dead_consumers_events_are_claimed_and_a_live_ones_are_not() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(30));
    fetch_and_die(&mut connection, "dead", 20);

    let patient = Monitor::start(&redis, &["--consumer", "patient", "--claim-idle", "86400"]);
    patient.wait_for_sum(EVENTS, 10.0);
    let eager = Monitor::start(&redis, &["--consumer", "eager", "--claim-idle", "1", "--batch-size", "7"]);
    eager.wait_for_sum(EVENTS, 20.0);
    assert_eq!(eager.metrics().sum("aws_masker_monitor_claimed_events_total"), 20.0);
    assert_eq!(patient.metrics().sum(EVENTS), 10.0);
    wait_for("all to be acknowledged", || (redis.backlog() == (0, 0)).then_some(()));
}

#[test]
fn pending_entries_that_were_trimmed_are_counted_and_forgotten() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(20));
    fetch_and_die(&mut connection, "me", 4);
    fetch_and_die(&mut connection, "dead", 6);
    redis::cmd("XTRIM").arg(STREAM).arg("MAXLEN").arg("8").exec(&mut connection).unwrap();

    let monitor = Monitor::start(&redis, &["--consumer", "me", "--claim-idle", "1"]);
    // and the two that nobody had fetched
    monitor.wait_for_sum("aws_masker_monitor_trimmed_events_total", 12.0);
    monitor.wait_for_sum(EVENTS, 8.0);
    wait_for("all to be acknowledged", || (redis.backlog().0 == 0).then_some(()));
}

#[test]
fn what_was_trimmed_while_no_monitor_ran_is_counted_and_does_not_wait_for_ever() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(20));
    let first = Monitor::start(&redis, &[]);
    first.wait_for_sum(EVENTS, 20.0);
    assert_eq!(first.stop().0, Some(0));

    add(&mut connection, plain(100));
    redis::cmd("XTRIM").arg(STREAM).arg("MAXLEN").arg("30").exec(&mut connection).unwrap();
    let second = Monitor::start(&redis, &[]);
    second.wait_for_sum(EVENTS, 30.0);
    assert_eq!(second.metrics().sum("aws_masker_monitor_trimmed_events_total"), 70.0);
    wait_for("the backlog", || (second.live(1)[0]["link"]["waiting"] == json!(0)).then_some(()));
    assert_eq!(second.metrics().sum("aws_masker_monitor_stream_waiting"), 0.0);
    assert!(second.stop().1.contains("trimmed before these events were read"));

    // a loss is told once
    let third = Monitor::start(&redis, &[]);
    add(&mut connection, plain(5));
    third.wait_for_sum(EVENTS, 5.0);
    assert_eq!(third.metrics().sum("aws_masker_monitor_trimmed_events_total"), 0.0);
    assert_eq!(third.metrics().sum("aws_masker_monitor_stream_waiting"), 0.0);
    wait_for("the count of Redis", || (redis.backlog() == (0, 0)).then_some(()));
    assert_eq!(third.stop().0, Some(0));

    // also where there is a further one
    add(&mut connection, plain(100));
    redis::cmd("XTRIM").arg(STREAM).arg("MAXLEN").arg("40").exec(&mut connection).unwrap();
    let fourth = Monitor::start(&redis, &[]);
    fourth.wait_for_sum(EVENTS, 40.0);
    assert_eq!(fourth.metrics().sum("aws_masker_monitor_trimmed_events_total"), 60.0);
}

#[test]
fn what_is_trimmed_right_after_the_first_start_is_counted() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    let monitor = Monitor::start(&redis, &[]);
    wait_for("its first look", || (monitor.live(1)[0]["link"]["waiting"] == json!(0)).then_some(()));
    monitor.signal("-STOP");
    add(&mut connection, plain(100));
    redis::cmd("XTRIM").arg(STREAM).arg("MAXLEN").arg("30").exec(&mut connection).unwrap();
    monitor.signal("-CONT");
    // the first of them may have been on its way already
    let told = || monitor.metrics().sum(EVENTS) + monitor.metrics().sum("aws_masker_monitor_trimmed_events_total");
    wait_for("all to be told", || (told() == 100.0).then_some(()));
    assert!(monitor.metrics().sum(EVENTS) <= 31.0);
}

#[test]
fn an_event_that_comes_twice_is_counted_once() {
    let redis = Redis::start();
    let batch: Vec<Value> = plain(50).collect();
    add(&mut redis.connect(), batch.clone());
    add(&mut redis.connect(), batch);
    let monitor = Monitor::start(&redis, &[]);
    monitor.wait_for_sum("aws_masker_monitor_repeated_events_total", 50.0);
    assert_eq!(monitor.metrics().sum(EVENTS), 50.0);
    assert_eq!(monitor.live(1)[0]["sums"]["requests"], json!(50));
}

#[test]
fn the_backlog_is_shown() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(9));
    fetch_and_die(&mut connection, "dead", 5);
    let monitor = Monitor::start(&redis, &["--claim-idle", "86400"]);
    monitor.wait_for_sum(EVENTS, 4.0);
    wait_for("the backlog", || (monitor.metrics().sum("aws_masker_monitor_stream_pending") == 5.0).then_some(()));
    assert_eq!(monitor.live(1)[0]["link"]["pending"], json!(5));
}

/// Names of the group's consumers.
fn consumers(redis: &Redis) -> Vec<String> {
    let found: Vec<redis::Value> =
        redis::cmd("XINFO").arg("CONSUMERS").arg(STREAM).arg(GROUP).query(&mut redis.connect()).unwrap();
    let name = |consumer: &redis::Value| match consumer {
        redis::Value::Array(fields) => match &fields[1] {
            redis::Value::BulkString(name) => String::from_utf8(name.clone()).unwrap(),
            other => panic!("a name is {other:?}"),
        },
        other => panic!("a consumer is {other:?}"),
    };
    found.iter().map(name).collect()
}

#[test]
fn consumers_that_are_gone_are_taken_off_the_group_and_what_they_left_is_not() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(5));
    fetch_and_die(&mut connection, "with-work", 2);
    for pod in 0..20 {
        redis::cmd("XGROUP")
            .arg("CREATECONSUMER")
            .arg(STREAM)
            .arg(GROUP)
            .arg(format!("pod-{pod}"))
            .exec(&mut connection)
            .unwrap();
    }
    let load = Load::start(&redis);
    let arguments = ["--claim-idle", "86400", "--forget-idle", "2", "--batch-size", "10", "--consumer"];
    let monitors = ["one", "two"].map(|name| Monitor::start(&redis, &[&arguments[..], &[name]].concat()));
    wait_for("the pods to be forgotten", || (consumers(&redis) == ["one", "two", "with-work"]).then_some(()));
    // nor are those that live
    sleep(Duration::from_secs(3));
    assert_eq!(consumers(&redis), ["one", "two", "with-work"]);
    let sent = load.stop().len();
    // what was left is somebody else's to take
    let counted = || monitors.iter().map(|monitor| monitor.metrics().sum(EVENTS)).sum::<f64>();
    wait_for("all others to be counted", || (counted() == (sent + 3) as f64).then_some(()));
    assert_eq!(redis.backlog().0, 2);
}
