//! What is served over HTTP, and the modes that read and leave.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use std::process::{Command, Output};

use serde_json::{Value, json};
use support::*;

const EVENTS: &str = "aws_masker_events_total";

#[test]
fn metrics_are_valid_and_tell_what_happened() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(10));
    add(&mut connection, (0..5).map(|_| unmasked(json!({"microseconds": 700}))));
    add(
        &mut connection,
        [
            unmasked(json!({"unresolved": 2, "outcome": "incomplete"})),
            event(json!({"outcome": "unchanged", "masked": 0, "distinct": 0, "kinds": null, "dropped": 9})),
            event(json!({"outcome": "dry_run"})),
            blocked(),
            event(json!({
                "type": "restore_skipped", "outcome": "skipped", "reason": "coding", "microseconds": null,
                "bytes_in": null, "bytes_out": null, "masked": null, "distinct": null, "kinds": null,
            })),
            event(json!({
                "type": "redis_error", "outcome": "degraded", "operation": "read", "reason": "timeout", "count": 3,
                "microseconds": null, "bytes_in": null, "bytes_out": null, "masked": null, "distinct": null,
                "kinds": null, "request_id": null, "service": null, "route": null, "status": null,
            })),
        ],
    );
    add_raw(&mut connection, "event", b"not an event");
    let monitor = Monitor::start(&redis, &[]);
    monitor.wait_for_sum(EVENTS, 21.0);
    monitor.wait_for_sum("aws_masker_monitor_malformed_events_total", 1.0);

    let metrics = monitor.metrics();
    let node = ("node", NODE);
    for (name, labels, value) in [
        ("requests", &[("outcome", "masked"), node][..], 10.0),
        ("requests", &[("outcome", "unchanged"), node], 1.0),
        ("requests", &[("outcome", "dry_run"), node], 1.0),
        ("requests", &[("outcome", "blocked"), node], 1.0),
        ("answers", &[("outcome", "restored"), node], 5.0),
        ("answers", &[("outcome", "incomplete"), node], 1.0),
        ("answers", &[("outcome", "skipped"), node], 1.0),
        ("blocked", &[("reason", "BODY_TOO_LARGE"), ("outcome", "blocked"), node], 1.0),
        ("restore_skipped", &[("reason", "coding")], 1.0),
        ("route_requests", &[("service", "anthropic"), ("route", "messages")], 13.0),
        // a dry run replaces nothing
        ("masked_stretches", &[], 40.0),
        ("masked_originals", &[], 20.0),
        ("masked_by_kind", &[("kind", "ec2:instance")], 30.0),
        ("dry_run_by_kind", &[("kind", "ec2:instance")], 3.0),
        ("restored_tokens", &[], 18.0),
        ("unresolved_tokens", &[node], 2.0),
        ("request_bytes", &[], 12_000.0),
        ("answer_bytes", &[], 6_000.0),
        ("redis_errors", &[("operation", "read"), ("reason", "timeout"), node], 3.0),
        ("dropped_events", &[node], 9.0),
    ] {
        assert_eq!(metrics.value(&format!("aws_masker_{name}_total"), labels), value, "{name} {labels:?}");
    }
    let at = |buckets: &[(f64, f64)], bound: f64| buckets.iter().find(|(upper, _)| *upper == bound).unwrap().1;
    let restore = metrics.buckets("aws_masker_restore_seconds");
    assert_eq!((at(&restore, 0.0005), at(&restore, 0.001), at(&restore, f64::INFINITY)), (1.0, 6.0, 6.0));
    let mask = metrics.buckets("aws_masker_mask_seconds");
    assert_eq!((at(&mask, 1e-5), at(&mask, 2e-5), at(&mask, f64::INFINITY)), (0.0, 12.0, 12.0));

    let plain_text = monitor.get("/metrics");
    assert!(plain_text.head.contains("content-type: text/plain; version=0.0.4"));
    let open = monitor.request("/metrics", "accept: application/openmetrics-text;version=1.0.0\r\n").unwrap();
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert!(open.body.ends_with("# EOF\n"));
    assert_known(&plain_text.body);
}

/// What the dashboard and the alerts ask for is there.
fn assert_known(metrics: &str) {
    let known: Vec<_> = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let docker = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docker");
    for file in ["grafana/dashboards/aws-masker.json", "prometheus/alerts.yml"] {
        let text = std::fs::read_to_string(format!("{docker}/{file}")).unwrap();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let names: Vec<_> = words.filter(|word| word.starts_with("aws_masker_")).collect();
        assert!(names.len() > 10, "{file}");
        for name in names {
            assert!(known.contains(&name.trim_end_matches("_bucket")), "{file} asks for {name}");
        }
    }
}

#[test]
fn labels_are_bounded_and_kinds_of_the_catalog_always_have_their_name() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, (0..300).map(|n| event(json!({
        "node": format!("0c5a2f5e-9f3a-4d0e-8a55-{n:012x}"), "route": format!("route {n} \"\\é"), "service": format!("s{n}"),
        "outcome": format!("o{}", char::from(b'a' + (n % 26) as u8).to_string().repeat(1 + n / 26)),
        "kinds": {format!("custom:{n}"): 1},
    }))));
    add(&mut connection, [event(json!({"kinds": {"ebs:volume": 1, "ec2:instance": 2}, "outcome": "masked"}))]);
    let monitor = Monitor::start(&redis, &[]);
    monitor.wait_for_sum(EVENTS, 301.0);
    let metrics = monitor.metrics();
    let requests = metrics.label_values("aws_masker_requests_total", "node");
    assert_eq!(requests.len(), 65);
    assert!(requests.contains("other"));
    assert_eq!(metrics.label_values("aws_masker_requests_total", "outcome").len(), 33);
    assert_eq!(metrics.label_values("aws_masker_route_requests_total", "route").len(), 129);
    assert!(metrics.label_values("aws_masker_route_requests_total", "route").iter().any(|route| route.ends_with('é')));
    assert_eq!(metrics.sum("aws_masker_route_requests_total"), 301.0);
    assert_eq!(metrics.value("aws_masker_masked_by_kind_total", &[("kind", "ec2:instance")]), 2.0);
}

#[test]
fn the_page_gets_all_and_then_what_is_new() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(10));
    add(&mut connection, [unmasked(json!({"microseconds": 90, "unresolved": 1})), blocked()]);
    let monitor = Monitor::start(&redis, &[]);
    monitor.wait_for_sum(EVENTS, 12.0);
    wait_for("the page", || (monitor.live(1)[0]["sums"]["requests"] == json!(11)).then_some(()));
    // the last seconds are held back until they are complete
    let [whole, tick]: [Value; 2] = wait_for("the second to be complete", || {
        let pictures: [Value; 2] = monitor.live(2).try_into().unwrap();
        let shown: u64 = pictures[0]["points"].as_array().unwrap().iter().map(|point| point[1].as_u64().unwrap()).sum();
        (shown == 11).then_some(pictures)
    });
    assert_eq!(whole["points"].as_array().unwrap().len(), 300);
    assert!(tick["points"].as_array().unwrap().len() < 60);
    assert_eq!(whole["kinds"][0], json!({"name": "ec2:instance", "category": "ids", "count": 30}));
    let route = &whole["routes"][0];
    let of_route = ["requests", "masked", "blocked", "unresolved", "timed"].map(|name| route[name].as_u64().unwrap());
    assert_eq!(of_route, [11, 40, 1, 1, 10]);
    assert_eq!((&whole["mask"]["p99"], &whole["restore"]["p50"]), (&json!(12), &json!(90)));
    assert_eq!(whole["problems"].as_array().unwrap().len(), 2);
    assert_eq!(whole["recent"].as_array().unwrap().len(), 12);
    assert_eq!(whole["link"]["status"], json!("up"));
}

#[test]
fn old_events_are_counted_but_not_shown_as_new() {
    let redis = Redis::start();
    let now = event(json!({}))["timestamp"].as_u64().unwrap();
    let hour_ago = now - 3_600_000;
    let mut connection = redis.connect();
    redis::cmd("XADD")
        .arg(STREAM)
        .arg(format!("{hour_ago}-0"))
        .arg("event")
        .arg(event(json!({"timestamp": hour_ago})).to_string())
        .exec(&mut connection)
        .unwrap();
    // a gateway whose clock is wrong is believed less than Redis
    add(&mut connection, [event(json!({"timestamp": now + 86_400_000})), event(json!({"timestamp": 0}))]);
    let monitor = Monitor::start(&redis, &[]);
    monitor.wait_for_sum(EVENTS, 3.0);
    wait_for("the page", || (monitor.live(1)[0]["sums"]["requests"] == json!(2)).then_some(()));
}

#[test]
fn pages_are_their_own_and_nobody_elses() {
    let monitor = Monitor::start_at(free_port(), &[]);
    let page = monitor.get("/");
    assert_eq!(page.status, 200);
    let assets: Vec<_> = page.body.split('"').filter(|part| part.starts_with("assets/")).collect();
    assert!(assets.len() >= 4, "{assets:?}");
    for path in ["/", "/metrics", "/health", "/ready", "/nothing"].into_iter().chain(assets.iter().copied()) {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let answer = monitor.get(&path);
        assert_eq!(
            answer.status,
            match path.as_str() {
                "/nothing" => 404,
                "/ready" => 503,
                _ => 200,
            },
            "{path}"
        );
        assert!(!answer.head.contains("set-cookie"));
        let policy = answer.head.split("content-security-policy: ").nth(1).unwrap().lines().next().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(answer.head.contains("x-content-type-options: nosniff"));
    }
    for word in ["http://", "https://", "<script>", "<style", "style=", "onclick"] {
        assert!(!page.body.contains(word), "{word}");
    }
    assert_eq!(monitor.get("/assets/..%2fCargo.toml").status, 404);
}

#[test]
fn a_stop_does_not_wait_for_open_pages() {
    let redis = Redis::start();
    let monitor = Monitor::start(&redis, &[]);
    let port = monitor.port;
    let viewer = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "GET /live HTTP/1.1\r\nhost: monitor\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    });
    wait_for("the viewer", || (monitor.metrics().sum("aws_masker_monitor_page_viewers") == 1.0).then_some(()));
    assert_eq!(monitor.stop().0, Some(0));
    let text = viewer.join().unwrap().unwrap();
    // ended in order, not cut off
    assert!(text.contains("retry: ") && text.ends_with("\r\n0\r\n\r\n"));
}

fn run(redis_port: u16, arguments: &[&str]) -> Output {
    let url = format!("redis://127.0.0.1:{redis_port}");
    Command::new(env!("CARGO_BIN_EXE_aws-masker-monitor"))
        .args(["--redis-url", &url, "--log-format", "json"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn dump_prints_all_events_and_takes_none() {
    let redis = Redis::start();
    let events: Vec<Value> = plain(2500).collect();
    add(&mut redis.connect(), events.clone());
    add_raw(&mut redis.connect(), "event", b"i-0f3a9c27be41d8056");
    for _ in 0..2 {
        let output = run(redis.port, &["--dump"]);
        assert_eq!(output.status.code(), Some(0));
        let printed = String::from_utf8(output.stdout).unwrap();
        let printed: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(printed == events, "{} events are printed", printed.len());
        assert!(!String::from_utf8(output.stderr).unwrap().contains("i-0f3a"));
    }
    let groups: Vec<redis::Value> = redis::cmd("XINFO").arg("GROUPS").arg(STREAM).query(&mut redis.connect()).unwrap();
    assert!(groups.is_empty());
}

#[test]
fn once_reads_what_is_waiting_and_leaves() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    add(&mut connection, plain(1200));
    fetch_and_die(&mut connection, "me", 10);
    let ids = |output: Output| {
        assert_eq!(output.status.code(), Some(0));
        request_ids(&String::from_utf8(output.stderr).unwrap())
    };
    let arguments = ["--once", "--consumer", "me", "--detail", "detailed", "--log-rate", "100000"];
    assert_eq!(ids(run(redis.port, &arguments)).len(), 1200);
    assert_eq!(redis.backlog(), (0, 0));
    assert_eq!(ids(run(redis.port, &arguments)).len(), 0);
    add(&mut connection, plain(3));
    assert_eq!(ids(run(redis.port, &arguments)).len(), 3);
}

#[test]
fn reading_once_fails_where_redis_is_away() {
    for mode in ["--once", "--dump"] {
        let output = run(free_port(), &[mode]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot read the stream"));
    }
}

#[test]
fn a_probe_tells_whether_a_monitor_is_healthy() {
    let monitor = Monitor::start_at(free_port(), &[]);
    let probe = |port: u16| run(1, &["--probe", "--listen", &format!("0.0.0.0:{port}")]).status.code();
    assert_eq!(probe(monitor.port), Some(0));
    assert_eq!(probe(free_port()), Some(1));
}

#[test]
fn wrong_usage_is_told_and_ends_with_two() {
    let output = run(free_port(), &["--log-rate", "many"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--log-rate"));
}
