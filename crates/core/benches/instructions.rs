//! One workload, a number of times: what `make bench-instructions` counts the instructions of.
//!
//! `instructions` names the workloads; `instructions WORKLOAD ROUNDS` runs one and says how many bytes a round has. The
//! difference between two numbers of rounds is the cost of the rounds alone. `LANES` picks the instructions.
#![allow(missing_docs, dead_code, unreachable_pub, clippy::print_stdout)]

use std::hint::black_box;

#[path = "support/agent.rs"]
mod agent;
#[path = "support/answer.rs"]
mod answer;
#[path = "support/payload.rs"]
mod payload;
#[path = "support/workload.rs"]
mod workload;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.as_slice() {
        [name, rounds] => {
            let mut workload = workload::named(name).expect("a workload, or a file");
            for _ in 0..rounds.parse().expect("a number of rounds") {
                black_box((workload.run)());
            }
            println!("{}", workload.bytes);
        }
        // Run without arguments by `cargo bench`, and by `cargo test` to see that it runs.
        _ => workload::names().iter().for_each(|name| println!("{name}")),
    }
}
