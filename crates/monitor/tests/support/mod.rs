//! A private Redis, monitors that read from it, and the events they should see.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

pub const STREAM: &str = "masking:events:stream";
pub const GROUP: &str = "aws-masker-monitor";
pub const CHANNEL: &str = "kong:masking:events";
pub const NODE: &str = "0c5a2f5e-9f3a-4d0e-8a55-3b7d9d1e2f60";

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `found` gives something.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(20));
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A redis-server of its own, without any data on disk.
pub struct Redis {
    child: Child,
    pub port: u16,
    url: String,
    folder: TempDir,
}

impl Redis {
    pub fn start() -> Self {
        Self::start_on(free_port(), &[])
    }

    pub fn start_on(port: u16, options: &[&str]) -> Self {
        Self::launch(port, format!("redis://127.0.0.1:{port}/0"), options)
    }

    /// `url`: how the test itself gets in.
    pub fn launch(port: u16, url: String, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(folder.path());
        if !options.contains(&"--port") {
            command.args(["--port", &port.to_string()]);
        }
        let child = command.args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("redis-server does not start: scripts/install-deps (make deps) installs it");
        let redis = Self { child, port, url, folder };
        wait_for("Redis", || TcpStream::connect(("127.0.0.1", redis.port)).ok());
        redis
    }

    pub fn connect(&self) -> redis::Connection {
        wait_for("a connection to Redis", || redis::Client::open(self.url.as_str()).unwrap().get_connection().ok())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }

    /// (pending, waiting) of the group.
    pub fn backlog(&self) -> (u64, u64) {
        let groups: Vec<Vec<redis::Value>> =
            redis::cmd("XINFO").arg("GROUPS").arg(STREAM).query(&mut self.connect()).unwrap();
        let field = |name: &str| {
            let group = &groups[0];
            let at = group.iter().position(|value| *value == redis::Value::BulkString(name.into())).unwrap();
            match group[at + 1] {
                redis::Value::Int(number) => u64::try_from(number).unwrap(),
                ref other => panic!("{name} is {other:?}"),
            }
        };
        (field("pending"), field("lag"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running monitor; killed when dropped.
pub struct Monitor {
    child: Child,
    pub port: u16,
    log: PathBuf,
    _folder: TempDir,
}

impl Monitor {
    pub fn start(redis: &Redis, arguments: &[&str]) -> Self {
        Self::start_at(redis.port, arguments)
    }

    pub fn start_at(redis_port: u16, arguments: &[&str]) -> Self {
        let url = format!("redis://127.0.0.1:{redis_port}/0");
        Self::launch(&[&["--redis-url", &url], arguments].concat(), &[])
    }

    pub fn launch(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        Self::launch_with_log(folder, log, arguments, variables)
    }

    fn launch_with_log(folder: TempDir, log: PathBuf, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let port_file = folder.path().join("port");
        let child = Command::new(env!("CARGO_BIN_EXE_aws-masker-monitor"))
            .args(["--listen", "127.0.0.1:0", "--log-format", "json", "--port-file"])
            .arg(&port_file)
            .args(arguments)
            .envs(variables.iter().copied())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut monitor = Self { child, port: 0, log, _folder: folder };
        monitor.port = wait_for("the monitor's port", || fs::read_to_string(&port_file).ok()?.trim().parse().ok());
        monitor
    }

    /// One whose log cannot be written.
    pub fn start_without_log(redis: &Redis) -> Self {
        let url = format!("redis://127.0.0.1:{}/0", redis.port);
        Self::launch_with_log(tempfile::tempdir().unwrap(), "/dev/full".into(), &["--redis-url", &url], &[])
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(path, "").expect("the monitor answers")
    }

    pub fn request(&self, path: &str, headers: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: monitor\r\nconnection: close\r\n{headers}\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    /// The first messages of the page's live data.
    pub fn live(&self, messages: usize) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /live HTTP/1.1\r\nhost: monitor\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut found = Vec::new();
        while found.len() < messages {
            let line = lines.next().unwrap().unwrap();
            if let Some(data) = line.strip_prefix("data: ") {
                found.push(serde_json::from_str(data).unwrap());
            }
        }
        found
    }

    pub fn wait_until_ready(&self) {
        wait_for("the monitor to be ready", || (self.get("/ready").status == 200).then_some(()));
    }

    pub fn metrics(&self) -> Metrics {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200);
        Metrics::parse(&answer.body)
    }

    /// Waits until `name` (all label sets together) has grown to `value`.
    pub fn wait_for_sum(&self, name: &str, value: f64) {
        wait_for(&format!("{name} = {value}"), || {
            let sum = self.metrics().sum(name);
            assert!(sum <= value, "{name} is {sum}, more than {value}");
            (sum == value).then_some(())
        });
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn log_lines(&self) -> Vec<Value> {
        log_lines(&self.log())
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Asks it to stop and returns how it ended, with its log.
    pub fn stop(mut self) -> (Option<i32>, String) {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        (status.code(), self.log())
    }

    /// Ends it at once, as a crash would; returns its log.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole lines of a log; a killed process may leave half a line.
pub fn log_lines(log: &str) -> Vec<Value> {
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Ids of the requests that a detailed log tells of.
pub fn request_ids(log: &str) -> BTreeSet<String> {
    log_lines(log).iter().filter_map(|line| Some(line["request_id"].as_str()?.to_owned())).collect()
}

pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: String,
}

/// Parsed metrics.
pub struct Metrics(Vec<prometheus_parse::Sample>);

impl Metrics {
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        Self(prometheus_parse::Scrape::parse(lines).unwrap().samples)
    }

    /// All counters and gauges of the name together.
    pub fn sum(&self, name: &str) -> f64 {
        self.values(name).map(|(_, value)| value).sum()
    }

    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |found: &prometheus_parse::Labels| labels.iter().all(|(key, value)| found.get(key) == Some(value));
        self.values(name).filter(|(found, _)| fits(found)).map(|(_, value)| value).sum()
    }

    /// The values that a label takes.
    pub fn label_values(&self, name: &str, label: &str) -> BTreeSet<String> {
        self.values(name).map(|(labels, _)| labels.get(label).unwrap().to_owned()).collect()
    }

    /// Bounds and cumulative counts of a histogram.
    pub fn buckets(&self, name: &str) -> Vec<(f64, f64)> {
        let sample = self.0.iter().find(|sample| sample.metric == name).unwrap();
        match &sample.value {
            prometheus_parse::Value::Histogram(buckets) => {
                buckets.iter().map(|bucket| (bucket.less_than, bucket.count)).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = (&prometheus_parse::Labels, f64)> {
        self.0.iter().filter(move |sample| sample.metric == name).map(|sample| match sample.value {
            prometheus_parse::Value::Counter(value)
            | prometheus_parse::Value::Gauge(value)
            | prometheus_parse::Value::Untyped(value) => (&sample.labels, value),
            ref other => panic!("{} is {other:?}", sample.metric),
        })
    }
}

static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// A valid event of an exchange that was masked, with the fields of `changes` instead; null takes one away.
pub fn event(changes: Value) -> Value {
    let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed) + 1;
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut event = json!({
        "version": 1, "type": "data_masked", "timestamp": u64::try_from(elapsed.as_millis()).unwrap(), "node": NODE,
        "source": "00ff00ff00ff", "sequence": sequence, "outcome": "masked",
        "microseconds": 12, "bytes_in": 1000, "bytes_out": 900, "masked": 4, "distinct": 2,
        "request_id": format!("{sequence:032x}"), "service": "anthropic", "route": "messages", "status": 200,
        "kinds": {"ec2:instance": 3, "arn": 1},
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(event.as_object_mut().unwrap().remove(name)),
            value => event[name] = value.clone(),
        }
    }
    event
}

/// The answer's event to [`event`].
pub fn unmasked(changes: Value) -> Value {
    let mut event = event(json!({
        "type": "data_unmasked", "outcome": "restored", "restored": 3, "unresolved": 0,
        "masked": null, "distinct": null, "kinds": null,
    }));
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

pub fn blocked() -> Value {
    event(json!({
        "type": "mask_blocked", "outcome": "blocked", "reason": "BODY_TOO_LARGE", "microseconds": null,
        "bytes_in": null, "bytes_out": null, "masked": null, "distinct": null, "kinds": null,
    }))
}

pub fn add_raw(connection: &mut redis::Connection, field: &str, value: &[u8]) {
    redis::cmd("XADD").arg(STREAM).arg("*").arg(field).arg(value).exec(connection).unwrap();
}

pub fn add(connection: &mut redis::Connection, events: impl IntoIterator<Item = Value>) {
    let mut pipeline = redis::pipe();
    for event in events {
        pipeline.cmd("XADD").arg(STREAM).arg("*").arg("event").arg(event.to_string()).ignore();
    }
    pipeline.exec(connection).unwrap();
}

pub fn plain(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|_| event(json!({})))
}

/// Fetches `count` entries as `consumer` and does not acknowledge them.
pub fn fetch_and_die(connection: &mut redis::Connection, consumer: &str, count: usize) {
    let created: redis::RedisResult<()> =
        redis::cmd("XGROUP").arg("CREATE").arg(STREAM).arg(GROUP).arg("0").exec(connection);
    assert!(created.is_ok() || created.unwrap_err().code() == Some("BUSYGROUP"));
    redis::cmd("XREADGROUP")
        .arg("GROUP")
        .arg(GROUP)
        .arg(consumer)
        .arg("COUNT")
        .arg(count)
        .arg("STREAMS")
        .arg(STREAM)
        .arg(">")
        .exec(connection)
        .unwrap();
}

pub fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
