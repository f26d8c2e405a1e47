//! Redis away, forbidden or full of things that are no events.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use serde_json::json;
use support::*;

const EVENTS: &str = "aws_masker_events_total";

#[test]
fn redis_may_come_late_go_and_come_back_empty() {
    let port = free_port();
    let monitor = Monitor::start_at(port, &[]);
    assert_eq!(monitor.get("/ready").status, 503);
    assert_eq!(monitor.get("/health").status, 200);
    assert_eq!(monitor.live(1)[0]["link"]["status"], json!("connecting"));

    let redis = Redis::start_on(port, &[]);
    monitor.wait_until_ready();
    add(&mut redis.connect(), plain(10));
    monitor.wait_for_sum(EVENTS, 10.0);

    redis.kill();
    wait_for("the loss to be noticed", || (monitor.get("/ready").status == 503).then_some(()));
    assert_eq!(monitor.get("/health").status, 200);
    assert_eq!(monitor.metrics().sum("aws_masker_monitor_redis_up"), 0.0);
    assert_eq!(monitor.live(1)[0]["link"]["status"], json!("down"));

    let redis = Redis::start_on(port, &[]);
    monitor.wait_until_ready();
    add(&mut redis.connect(), plain(7));
    monitor.wait_for_sum(EVENTS, 17.0);
    assert_eq!(monitor.metrics().sum("aws_masker_monitor_redis_reconnects_total"), 1.0);
    wait_for("the page", || (monitor.live(1)[0]["sums"]["requests"] == json!(17)).then_some(()));

    // the group and its stream may vanish without the connection
    redis::cmd("FLUSHALL").exec(&mut redis.connect()).unwrap();
    add(&mut redis.connect(), plain(3));
    monitor.wait_for_sum(EVENTS, 20.0);
}

#[test]
fn a_stop_is_quick_while_redis_is_away() {
    let monitor = Monitor::start_at(free_port(), &[]);
    let started = std::time::Instant::now();
    assert_eq!(monitor.stop().0, Some(0));
    assert!(started.elapsed().as_secs() < 3);
}

#[test]
fn what_is_not_an_event_is_counted_acknowledged_and_never_repeated() {
    let redis = Redis::start();
    let mut connection = redis.connect();
    let secret = "arn:aws:iam::618734209955:role/billing-export";
    add_raw(&mut connection, "event", format!("{{\"version\":1,\"leak\":\"{secret}\"}}").as_bytes());
    add_raw(&mut connection, "event", b"\xff\xfe\x00");
    add_raw(&mut connection, "other", secret.as_bytes());
    add(
        &mut connection,
        [
            event(json!({"version": 2, "outcome": secret})),
            event(json!({"outcome": secret})),
            event(json!({"kinds": {secret: 1}})),
            event(json!({"type": "mask_blocked", "outcome": "blocked", "reason": secret})),
        ],
    );
    add(&mut connection, plain(5));

    let monitor = Monitor::start(&redis, &["--detail", "detailed"]);
    monitor.wait_for_sum(EVENTS, 5.0);
    wait_for("all to be acknowledged", || (redis.backlog() == (0, 0)).then_some(()));
    let malformed = "aws_masker_monitor_malformed_events_total";
    let metrics = monitor.metrics();
    let counts = ["json", "version", "field"].map(|why| metrics.value(malformed, &[("why", why)]));
    assert_eq!(counts, [3.0, 1.0, 3.0]);

    let shown = [monitor.get("/metrics").body, monitor.live(2)[1].to_string(), monitor.stop().1].concat();
    assert!(!shown.contains("618734209955") && !shown.contains("billing-export"), "{shown}");
}

#[test]
fn the_log_holds_so_many_events_a_second_and_counts_the_others() {
    let redis = Redis::start();
    add(&mut redis.connect(), plain(3000));
    let monitor = Monitor::start(&redis, &["--log-rate", "25"]);
    monitor.wait_for_sum(EVENTS, 3000.0);
    let suppressed = "aws_masker_monitor_suppressed_log_lines_total";
    let in_metrics = wait_for("the report", || {
        let count = monitor.metrics().sum(suppressed);
        (count > 0.0).then_some(count)
    });
    let log = monitor.log();
    let lines = log_lines(&monitor.stop().1);
    let events = lines.iter().filter(|line| line["message"] == "data_masked").count() as u64;
    let reported: u64 = lines.iter().filter_map(|line| line["suppressed"].as_u64()).sum();
    assert_eq!(events + reported, 3000);
    assert!((25..=500).contains(&events), "{events} lines");
    assert!(in_metrics <= reported as f64);
    assert!(log.lines().count() < 600);
}

#[test]
fn a_quiet_log_and_a_minimal_one_say_no_more_than_they_should() {
    let redis = Redis::start();
    add(&mut redis.connect(), plain(5));
    let quiet = Monitor::start(&redis, &["--log-rate", "0", "--group", "quiet"]);
    quiet.wait_for_sum(EVENTS, 5.0);
    let log = quiet.stop().1;
    assert!(!log.contains("data_masked") && !log.contains("\"suppressed\""), "{log}");

    let minimal = Monitor::start(&redis, &["--group", "minimal"]);
    minimal.wait_for_sum(EVENTS, 5.0);
    let picture = minimal.live(1).remove(0);
    assert!(picture["recent"][0].get("request_id").is_none() && picture["recent"][0].get("kinds").is_none());
    let lines = log_lines(&minimal.stop().1);
    let line = lines.iter().find(|line| line["message"] == "data_masked").unwrap();
    for name in ["request_id", "service", "route", "kinds", "status"] {
        assert!(line.get(name).is_none(), "{line}");
    }
    assert_eq!((&line["masked"], &line["microseconds"], &line["outcome"]), (&json!(4), &json!(12), &json!("masked")));

    let detailed = Monitor::start(&redis, &["--group", "detailed", "--detail", "detailed"]);
    detailed.wait_for_sum(EVENTS, 5.0);
    let picture = detailed.live(1).remove(0);
    assert_eq!(picture["recent"][0]["route"], json!("messages"));
    let lines = log_lines(&detailed.stop().1);
    let line = lines.iter().find(|line| line["message"] == "data_masked").unwrap();
    assert_eq!((&line["route"], &line["kinds"]), (&json!("messages"), &json!("ec2:instance=3 arn=1")));
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let redis = Redis::start();
    let monitor = Monitor::start_without_log(&redis);
    add(&mut redis.connect(), plain(50));
    monitor.wait_for_sum(EVENTS, 50.0);
    assert_eq!(monitor.get("/health").status, 200);
}

const PASSWORD: &str = "correct horse battery staple";

/// With the rights that SECURITY.md lists, less the one for the backlog, which some will not give.
fn guarded() -> Redis {
    let port = free_port();
    let rule = format!(
        "on >{} ~masking:events:stream resetchannels -@all +ping +select +time +xgroup +xreadgroup +xread +xack +xautoclaim",
        PASSWORD.replace(' ', "")
    );
    let mut options = vec!["--user", "monitor"];
    options.extend(rule.split(' '));
    let admin = ["--requirepass", "admin"];
    Redis::launch(port, format!("redis://:admin@127.0.0.1:{port}/0"), &[&options[..], &admin].concat())
}

#[test]
fn an_acl_user_with_few_rights_is_enough_and_a_wrong_password_is_tried_again() {
    let redis = guarded();
    let password = PASSWORD.replace(' ', "");
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "password", &format!("{password}\n"));
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let base = ["--redis-url", &url, "--redis-username", "monitor"];

    let by_file = Monitor::launch(&[&base[..], &["--redis-password-file", &file]].concat(), &[]);
    by_file.wait_until_ready();
    add(&mut redis.connect(), plain(5));
    by_file.wait_for_sum(EVENTS, 5.0);
    wait_for("the page", || (by_file.live(1)[0]["sums"]["requests"] == json!(5)).then_some(()));

    let by_variable =
        Monitor::launch(&[&base[..], &["--group", "g2"]].concat(), &[("AWS_MASKER_MONITOR_REDIS_PASSWORD", &password)]);
    by_variable.wait_for_sum(EVENTS, 5.0);

    let wrong = Monitor::launch(&base, &[("AWS_MASKER_MONITOR_REDIS_PASSWORD", "hunter2")]);
    wait_for("a warning", || wrong.log().contains("cannot read events").then_some(()));
    assert_eq!(wrong.get("/ready").status, 503);
    let shown = [by_file.stop().1, by_variable.stop().1, wrong.stop().1].concat();
    assert!(!shown.contains(&password) && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn tls_is_verified_against_the_given_authority() {
    let folder = tempfile::tempdir().unwrap();
    let name = vec!["localhost".to_owned()];
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(name).unwrap().signed_by(&key, &issuer).unwrap();
    let ca = write(folder.path(), "ca.pem", &authority_pem);
    let cert = write(folder.path(), "cert.pem", &certificate.pem());
    let key = write(folder.path(), "key.pem", &key.serialize_pem());

    let (port, plain_port) = (free_port(), free_port());
    let (tls, plain_text) = (port.to_string(), plain_port.to_string());
    let options = ["--port", &plain_text, "--tls-port", &tls, "--tls-cert-file", &cert, "--tls-key-file", &key];
    let options = [&options[..], &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]].concat();
    let redis = Redis::launch(port, format!("redis://127.0.0.1:{plain_port}"), &options);
    add(&mut redis.connect(), plain(5));

    let url = format!("rediss://localhost:{port}/0");
    let trusting = Monitor::launch(&["--redis-url", &url, "--redis-ca-file", &ca], &[]);
    trusting.wait_for_sum(EVENTS, 5.0);
    let doubting = Monitor::launch(&["--redis-url", &url], &[]);
    wait_for("a warning", || doubting.log().contains("cannot read events").then_some(()));
    assert_eq!(doubting.get("/ready").status, 503);
}
