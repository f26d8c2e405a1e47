//! How fast requests are looked at and masked, and answers restored, beside copying them and beside a plain engine of
//! regular expressions, all in one run: what `make bench` prints.
#![allow(missing_docs, dead_code, unreachable_pub, clippy::print_stdout)]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use regex::bytes::{Regex, RegexBuilder};

#[path = "support/agent.rs"]
mod agent;
#[path = "support/answer.rs"]
mod answer;
#[path = "../tests/support/oracle.rs"]
mod oracle;
#[path = "support/payload.rs"]
mod payload;
#[path = "support/workload.rs"]
mod workload;

use answer::Format;
use payload::{Density, request};

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;
const SIZES: &[(&str, usize)] =
    &[("1 KB", KB), ("4 KB", 4 * KB), ("32 KB", 32 * KB), ("256 KB", 256 * KB), ("1 MB", MB), ("10 MB", 10 * MB)];

/// Bytes of the baseline.
const COPIED: usize = 64 * MB;

/// Where the estimates of a run lie.
const ESTIMATES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/speed");

/// The patterns of the oracle as one: the fastest way in which the engine can look for all of them.
fn one_regex() -> Regex {
    let patterns: Vec<&str> = oracle::PATTERNS.iter().map(|pattern| pattern.regex.as_str()).collect();
    let regex = RegexBuilder::new(&patterns.join("|")).unicode(false).multi_line(true).build();
    regex.expect("patterns of the oracle compile together")
}

/// Copies what no cache holds: the memory's own speed, which nothing that writes its result can beat.
fn copying(criterion: &mut Criterion) {
    let (from, mut to) = (vec![b'x'; COPIED], vec![0; COPIED]);
    let mut group = criterion.benchmark_group("Copy");
    group.throughput(Throughput::Bytes(u64::try_from(COPIED).unwrap_or(u64::MAX)));
    group.bench_function(BenchmarkId::new("memcpy", "64 MB"), |bencher| {
        bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    });
}

/// Makes a body of about so many bytes.
type Body = fn(usize) -> Vec<u8>;

/// What is asked for: texts made of words and identifiers, and what coding agents send.
const REQUESTS: [(&str, Body); 4] = [
    ("Clean", |len| request(len, Density::Clean, 160, 1)),
    ("Dense", |len| request(len, Density::Dense, 160, 1)),
    ("Agent, clean", |len| agent::request(len, Density::Clean, 1)),
    ("Agent, dense", |len| agent::request(len, Density::Dense, 1)),
];

fn requests(criterion: &mut Criterion, name: &str, body: Body, regex: &Regex) {
    let detector = workload::detector();
    let key = workload::key();
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    for &(size, len) in SIZES {
        let body = body(len);
        group.throughput(Throughput::Bytes(u64::try_from(body.len()).unwrap_or(u64::MAX)));
        let mut measure = |what: &str, run: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(what, size), |bencher| bencher.iter(&mut *run));
        };
        measure("regex", &mut || {
            black_box(regex.find_iter(&body).count());
        });
        // Pattern by pattern, as the tests do it, costs so much that only one size is worth the time.
        if len == 32 * KB {
            measure("oracle", &mut || {
                black_box(
                    oracle::PATTERNS.iter().map(|pattern| pattern.regex.captures_iter(&body).count()).sum::<usize>(),
                );
            });
        }
        measure("scan", &mut || drop(black_box(detector.scan(&body))));
        measure("mask", &mut || {
            let mut session = workload::session_of(&detector, &key);
            drop(black_box(session.mask(b"application/json", &body)));
        });
    }
}

fn answers(criterion: &mut Criterion, format: Format) {
    let mut group = criterion.benchmark_group(format!("{format:?}"));
    group.sampling_mode(SamplingMode::Flat);
    for &(size, len) in SIZES {
        let (mut session, body) = answer::masked(workload::session(&workload::detector()), format, len);
        let mut out = Vec::new();
        group.throughput(Throughput::Bytes(u64::try_from(body.len()).unwrap_or(u64::MAX)));
        group.bench_function(BenchmarkId::new("copy", size), |bencher| {
            bencher.iter(|| black_box(answer::copy(&body, &mut out)));
        });
        group.bench_function(BenchmarkId::new("restore", size), |bencher| {
            bencher.iter(|| black_box(answer::restore(&mut session, format, &body, &mut out)));
        });
    }
}

/// What criterion wrote down of one bench.
struct Figure {
    nanoseconds: f64,
    bytes: f64,
}

impl Figure {
    fn read(group: &str, what: &str, size: &str) -> Option<Self> {
        let folder = Path::new(ESTIMATES).join(group).join(what).join(size).join("new");
        let read = |file: &str| serde_json::from_slice(&std::fs::read(folder.join(file)).ok()?).ok();
        let (estimates, bench): (serde_json::Value, serde_json::Value) =
            (read("estimates.json")?, read("benchmark.json")?);
        let nanoseconds = estimates.pointer("/median/point_estimate")?.as_f64()?;
        Some(Self { nanoseconds, bytes: bench.pointer("/throughput/Bytes")?.as_f64()? })
    }

    fn rate(&self) -> f64 {
        self.bytes * 1000.0 / self.nanoseconds
    }
}

/// `None` when something was not measured, because only some benches were asked for.
fn print_tables() -> Option<()> {
    let copy = Figure::read("Copy", "memcpy", "64 MB")?.rate();
    println!(
        "\nmemcpy of 64 MB: {copy:.0} MB/s. Rates in MB/s, ratios beside memcpy and beside all patterns as one regex."
    );
    for (group, _) in REQUESTS {
        let headings = ["regex", "scan", "mask", "µs", "scan/memcpy", "scan/regex", "mask/memcpy"];
        println!("\n{:<14}{}", group, headings.map(|heading| format!("{heading:>12}")).concat());
        for &(size, _) in SIZES {
            let figure = |what: &str| Figure::read(group, what, size);
            let (regex, scan, mask) = (figure("regex")?.rate(), figure("scan")?.rate(), figure("mask")?);
            let micros = mask.nanoseconds / 1000.0;
            let mask = mask.rate();
            println!(
                "{size:<14}{regex:>12.0}{scan:>12.0}{mask:>12.0}{micros:>12.1}{:>12.3}{:>12.1}{:>12.3}",
                scan / copy,
                scan / regex,
                mask / copy
            );
        }
        let oracle = Figure::read(group, "oracle", "32 KB")?.rate();
        println!("The oracle of the tests, pattern by pattern, on 32 KB: {oracle:.0} MB/s.");
        for what in ["scan", "mask"] {
            let cost = |size: &str| Figure::read(group, what, size).map(|figure| 1.0 / figure.rate());
            println!(
                "{what}: a byte of 10 MB costs {:.2} times what one of 1 MB does.",
                cost("10 MB")? / cost("1 MB")?
            );
        }
    }
    println!(
        "\nAnswers come in chunks; copy is the same chunks copied one by one, as a filter does that changes nothing."
    );
    for group in ["Json", "Sse"] {
        println!(
            "\n{:<14}{:>12}{:>12}{:>16}{:>16}",
            format!("{group} answers"),
            "copy",
            "restore",
            "restore/copy",
            "restore/memcpy"
        );
        for &(size, _) in SIZES {
            let rate = |what: &str| Figure::read(group, what, size).map(|figure| figure.rate());
            let (chunks, restore) = (rate("copy")?, rate("restore")?);
            println!("{size:<14}{chunks:>12.0}{restore:>12.0}{:>16.3}{:>16.3}", restore / chunks, restore / copy);
        }
    }
    Some(())
}

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(Path::new(ESTIMATES))
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20)
        .without_plots()
        .configure_from_args();
    copying(&mut criterion);
    let regex = one_regex();
    for (name, body) in REQUESTS {
        requests(&mut criterion, name, body, &regex);
    }
    answers(&mut criterion, Format::Json);
    answers(&mut criterion, Format::Sse);
    if std::env::args().any(|arg| arg == "--bench") && print_tables().is_none() {
        println!("\nA table needs every bench; this run, and those before it, had only some.");
    }
}
