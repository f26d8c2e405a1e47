//! `mock-llm`: a development-only upstream that answers like the Anthropic and OpenAI APIs.
//!
//! By default the answer echoes the last user message, so that whatever the gateway sent comes back through it.
//! Request headers named `x-mock-*` choose another answer or another way of sending it ([`knobs`]). Everything
//! received is kept for the test to inspect under `/__mock/` ([`control`]), and can be searched as it arrives for
//! strings that must never have left the client ([`leaks`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod anthropic;
mod app;
mod batches;
mod control;
mod endpoint;
mod fast;
mod files;
mod fixed;
mod json;
mod kept;
mod knobs;
mod leaks;
mod legacy;
mod net;
mod openai;
mod prompt;
mod pump;
mod record;
mod responses;
mod script;
mod sse;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use axum::Router;
use axum::routing::any;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::net::{Connection, QuickListener};

/// How long exchanges in flight may go on after SIGTERM or SIGINT.
const GRACE: Duration = Duration::from_secs(3);

/// Answers like the Anthropic and OpenAI APIs and records what it received (for development only).
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// File that gets the port number, once the port accepts connections
    #[arg(long)]
    port_file: Option<PathBuf>,
    /// Answer every POST with one fixed message, parsing and recording nothing (for load tests)
    #[arg(long)]
    fast: bool,
    /// Threads that serve connections
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nothing is left to report to when stderr is gone as well
            let _ = writeln!(io::stderr().lock(), "mock-llm: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    let mut runtime = match args.workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        workers => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(usize::from(workers));
            builder
        }
    };
    runtime.enable_all().build()?.block_on(serve(args))
}

async fn serve(args: &Args) -> io::Result<()> {
    let listener = TcpListener::bind(args.listen).await?;
    let address = listener.local_addr()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    announce(address, args.port_file.as_deref())?;

    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let server =
        axum::serve(QuickListener(listener), router(args.fast).into_make_service_with_connect_info::<Connection>())
            .with_graceful_shutdown(async move {
                // an error means that the sender is gone, which is a reason to stop as well
                let _ = stopped.changed().await;
            });
    let deadline = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = server => result,
        () = deadline => Ok(()),
    }
}

fn router(fast: bool) -> Router {
    let state = Arc::new(app::App::default());
    let router = Router::new().nest("/__mock", control::routes());
    let router = if fast { router.fallback(any(fast::answer)) } else { router.fallback(any(app::answer)) };
    router.with_state(state)
}

/// Says where the server listens. The port file appears whole: a reader never sees half a number.
fn announce(address: SocketAddr, port_file: Option<&Path>) -> io::Result<()> {
    if let Some(path) = port_file {
        let draft = path.with_extension("draft");
        fs::write(&draft, format!("{}\n", address.port()))?;
        fs::rename(&draft, path)?;
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()
}
