//! `aws-masker-monitor`: reads the events of the plugin from Redis, logs them, serves metrics and a live page.
//!
//! Two readers share a stream's events out: one of the consumer group ([`group`]) counts and logs each event once
//! ([`sink`]), one follows the stream's end for the page ([`tail`], [`view`]). With Pub/Sub one listener does both
//! ([`channel`]). Neither ever gives up on Redis.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backlog;
mod channel;
mod config;
mod connect;
mod dump;
mod event;
mod group;
mod http;
mod kind;
mod label;
mod link;
mod listen;
mod log;
mod metrics;
mod page;
mod probe;
mod reply;
mod seen;
mod sink;
mod stop;
mod tail;
mod view;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use redis::Client;
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::config::{Args, Transport};
use crate::group::GroupReader;
use crate::http::Server;
use crate::link::LinkReporter;
use crate::log::EventLog;
use crate::metrics::Metrics;
use crate::sink::Sink;
use crate::stop::Stop;
use crate::view::SharedView;

/// How long requests for the page in flight may go on after SIGTERM or SIGINT.
const GRACE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let args = Args::from_process();
    log::init(args.log_format);
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            error!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> Result<(), String> {
    if args.probe {
        return probe::run(args.listen);
    }
    // fails only when there is one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = args.redis()?;
    let client = connect::client(&target).map_err(|error| format!("cannot use the config of Redis: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let stop = Stop::on_signals().map_err(|error| format!("cannot catch signals: {error}"))?;
        if args.dump {
            let (events, others) = dump::run(&client, &args.stream, &stop).await?;
            info!(events, others, "printed what is in the stream");
            Ok(())
        } else if args.once {
            read_once(args, client, &stop).await
        } else {
            serve(args, client, target.place, stop).await
        }
    })
}

async fn read_once(args: &Args, client: Client, stop: &Stop) -> Result<(), String> {
    let metrics = Arc::new(Metrics::new());
    let mut sink = Sink::new(Arc::clone(&metrics), EventLog::new(args.detail, args.log_rate, Arc::clone(&metrics)));
    let result = GroupReader::new(client, args, metrics).run_once(&mut sink, stop).await;
    sink.flush();
    result.map_err(|error| format!("cannot read the stream: {error}"))?;
    info!(events = sink.counted(), "read what was waiting");
    Ok(())
}

async fn serve(args: &Args, client: Client, place: String, mut stop: Stop) -> Result<(), String> {
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| format!("cannot listen on {}: {error}", args.listen))?;
    let address = listener.local_addr().map_err(|error| format!("cannot listen: {error}"))?;
    announce(address, args.port_file.as_deref()).map_err(|error| format!("cannot write the port file: {error}"))?;

    let metrics = Arc::new(Metrics::new());
    let view = SharedView::new(args.detail);
    let (link, link_state) = LinkReporter::new(place.clone(), Arc::clone(&metrics));
    let log = EventLog::new(args.detail, args.log_rate, Arc::clone(&metrics));
    let mut sink = Sink::new(Arc::clone(&metrics), log);

    let server = Server::new(args, place, Arc::clone(&metrics), view.clone(), link_state, stop.clone());
    let server = tokio::spawn(server.run(listener));
    match args.transport {
        Transport::Stream => {
            tokio::spawn(tail::run(client.clone(), args.stream.clone(), view, stop.clone()));
            GroupReader::new(client, args, metrics).run(&mut sink, link, stop.clone()).await;
        }
        Transport::Pubsub => {
            channel::run(client, args.channel.clone(), &mut sink, view, link, stop.clone()).await;
        }
    }
    sink.flush();
    // the readers end only when they are told to
    stop.requested().await;
    info!(events = sink.counted(), "stopping");
    match tokio::time::timeout(GRACE, server).await {
        Ok(Ok(result)) => result.map_err(|error| format!("serving failed: {error}")),
        Ok(Err(error)) => Err(format!("serving failed: {error}")),
        Err(_) => Ok(()),
    }
}

/// Says where the page is. The port file appears whole: a reader never sees half a number.
fn announce(address: SocketAddr, port_file: Option<&Path>) -> io::Result<()> {
    if let Some(path) = port_file {
        let draft = path.with_extension("draft");
        fs::write(&draft, format!("{}\n", address.port()))?;
        fs::rename(&draft, path)?;
    }
    info!("live page on http://{address}/");
    Ok(())
}
