//! The Pub/Sub alternative.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use serde_json::json;
use support::*;

const EVENTS: &str = "aws_masker_events_total";

fn publish(redis: &Redis, message: &[u8]) {
    let mut connection = redis.connect();
    let heard: u64 =
        wait_for("a listener", || match redis::cmd("PUBLISH").arg(CHANNEL).arg(message).query(&mut connection) {
            Ok(0) => None,
            result => Some(result.unwrap()),
        });
    assert_eq!(heard, 1);
}

#[test]
fn messages_are_counted_shown_and_logged_and_a_lost_redis_is_found_again() {
    let port = free_port();
    let redis = Redis::start_on(port, &[]);
    let monitor = Monitor::start(&redis, &["--transport", "pubsub"]);
    for event in plain(20) {
        publish(&redis, event.to_string().as_bytes());
    }
    publish(&redis, blocked().to_string().as_bytes());
    publish(&redis, b"not an event");
    monitor.wait_for_sum(EVENTS, 21.0);
    assert_eq!(monitor.get("/ready").status, 200);
    monitor.wait_for_sum("aws_masker_monitor_malformed_events_total", 1.0);
    let picture = monitor.live(1).remove(0);
    assert_eq!((&picture["sums"]["requests"], &picture["sums"]["blocked"]), (&json!(21), &json!(1)));
    assert_eq!(picture["about"]["source"], json!(CHANNEL));

    redis.kill();
    wait_for("the loss to be noticed", || (monitor.get("/ready").status == 503).then_some(()));
    let redis = Redis::start_on(port, &[]);
    publish(&redis, event(json!({})).to_string().as_bytes());
    monitor.wait_for_sum(EVENTS, 22.0);
    let (code, log) = monitor.stop();
    assert_eq!(code, Some(0));
    assert_eq!(log_lines(&log).iter().filter(|line| line["message"] == "data_masked").count(), 21);
}

#[test]
fn a_silent_channel_stays_connected() {
    let redis = Redis::start();
    let monitor = Monitor::start(&redis, &["--transport", "pubsub"]);
    monitor.wait_until_ready();
    std::thread::sleep(std::time::Duration::from_secs(12));
    assert_eq!(monitor.get("/ready").status, 200);
    publish(&redis, event(json!({})).to_string().as_bytes());
    monitor.wait_for_sum(EVENTS, 1.0);
    assert_eq!(monitor.metrics().sum("aws_masker_monitor_redis_reconnects_total"), 0.0);
}
