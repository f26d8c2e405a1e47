//! Flags and environment variables.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

const PASSWORD_VARIABLE: &str = "AWS_MASKER_MONITOR_REDIS_PASSWORD";

const AFTER_HELP: &str = "\
The password of Redis is never a flag, because every user of a machine can read the command lines of all: put it into
AWS_MASKER_MONITOR_REDIS_PASSWORD or into a file named by --redis-password-file.

Served under --listen:
  /         live page
  /metrics  Prometheus metrics (OpenMetrics text)
  /health   200 while the process works, whatever Redis does
  /ready    200 while events can be read, else 503

Exit codes: 0 done or stopped by SIGTERM or SIGINT, 1 failed, 2 wrong usage.";

/// Reads the events of the Kong plugin aws-masker from Redis, logs them, serves metrics and a live page.
///
/// Events come from a Redis Stream through a consumer group: what happens while no monitor runs is read later, several
/// monitors of one group share the work, and what a dead one left is taken over. Redis may be away at any time, also
/// at the start: the monitor tries again until it is back.
#[derive(Debug, Parser)]
#[command(name = "aws-masker-monitor", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where Redis (or Valkey) is: redis://HOST:PORT/DB, rediss:// for TLS, redis+unix:///PATH for a socket
    #[arg(
        long,
        env = "AWS_MASKER_MONITOR_REDIS_URL",
        default_value = "redis://127.0.0.1:6379/0",
        hide_env_values = true
    )]
    redis_url: String,

    /// ACL user of Redis
    #[arg(long, env = "AWS_MASKER_MONITOR_REDIS_USERNAME")]
    redis_username: Option<String>,

    /// File that holds the password of Redis; a line break at its end is not part of it
    #[arg(long, env = "AWS_MASKER_MONITOR_REDIS_PASSWORD_FILE")]
    redis_password_file: Option<PathBuf>,

    /// PEM file with the certificates that sign those of Redis, instead of the system's
    #[arg(long, env = "AWS_MASKER_MONITOR_REDIS_CA_FILE")]
    redis_ca_file: Option<PathBuf>,

    /// Where the events are; the plugin's field event_transport says where they go
    #[arg(long, env = "AWS_MASKER_MONITOR_TRANSPORT", value_enum, default_value_t = Transport::Stream)]
    pub(crate) transport: Transport,

    /// Stream to read, the plugin's redis_event_stream
    #[arg(long, env = "AWS_MASKER_MONITOR_STREAM", default_value = "masking:events:stream")]
    pub(crate) stream: String,

    /// Consumer group; monitors of one group share the events, another group sees all of them again
    #[arg(long, env = "AWS_MASKER_MONITOR_GROUP", default_value = "aws-masker-monitor")]
    pub(crate) group: String,

    /// Name of this monitor in its group. Keep it over restarts, and different from the others' [default: host name]
    #[arg(long, env = "AWS_MASKER_MONITOR_CONSUMER")]
    consumer: Option<String>,

    /// Channel to listen to, the plugin's redis_event_channel. What is published while nobody listens is lost
    #[arg(long, env = "AWS_MASKER_MONITOR_CHANNEL", default_value = "kong:masking:events")]
    pub(crate) channel: String,

    /// Events to fetch at once
    #[arg(long, env = "AWS_MASKER_MONITOR_BATCH_SIZE", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch_size: u32,

    /// Seconds after which an event that another consumer of the group has fetched but not acknowledged is taken over
    #[arg(long, env = "AWS_MASKER_MONITOR_CLAIM_IDLE", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    claim_idle: u32,

    /// Seconds after which a consumer of the group that is silent and has fetched nothing it did not acknowledge is taken
    /// off the group: what pods with changing names leave behind
    #[arg(long, env = "AWS_MASKER_MONITOR_FORGET_IDLE", default_value_t = 86_400,
          value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
    forget_idle: u32,

    /// Address to serve on; port 0 takes a free one
    #[arg(long, env = "AWS_MASKER_MONITOR_LISTEN", default_value = "127.0.0.1:9542")]
    pub(crate) listen: SocketAddr,

    /// File that gets the port number, once the port accepts connections
    #[arg(long, env = "AWS_MASKER_MONITOR_PORT_FILE")]
    pub(crate) port_file: Option<PathBuf>,

    /// Form of the log on stderr
    #[arg(long, env = "AWS_MASKER_MONITOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,

    /// Events to log a second at most; the others are counted and their number is logged. 0 logs no event
    #[arg(long, env = "AWS_MASKER_MONITOR_LOG_RATE", default_value_t = 100)]
    pub(crate) log_rate: u32,

    /// What the log and the page's list say of an event. detailed adds request id, service, route and counts by kind,
    /// where the plugin's event_detail sends them
    #[arg(long, env = "AWS_MASKER_MONITOR_DETAIL", value_enum, default_value_t = Detail::Minimal)]
    pub(crate) detail: Detail,

    /// Read what is waiting for the group, log and acknowledge it, and end
    #[arg(long, conflicts_with = "dump")]
    pub(crate) once: bool,

    /// Print every event of the stream on stdout, one JSON object a line, and end. Acknowledges nothing
    #[arg(long)]
    pub(crate) dump: bool,

    /// Ask the monitor that serves on --listen whether it is healthy, and end with 0 or 1: for container health checks
    #[arg(long, conflicts_with_all = ["once", "dump"])]
    pub(crate) probe: bool,
}

/// How events travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Transport {
    /// Redis Stream, read through a consumer group
    Stream,
    /// Redis Pub/Sub channel
    Pubsub,
}

impl Transport {
    /// The name of the flag's value.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Pubsub => "pubsub",
        }
    }
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line
    Json,
    /// For people
    Human,
}

/// How much is told of one event.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Detail {
    /// Type, node, outcome, counts, times
    Minimal,
    /// Also request id, service, route, counts by kind
    Detailed,
}

impl Args {
    /// Reads the command line and the environment; ends the process on wrong usage, `--help` and `--version`.
    pub(crate) fn from_process() -> Self {
        let matches = Self::command().get_matches();
        Self::from_arg_matches(&matches).and_then(|args| args.checked(&matches)).unwrap_or_else(|error| error.exit())
    }

    fn checked(self, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let fail = |text: String| Err(Self::command().error(clap::error::ErrorKind::ValueValidation, text));
        let info = match self.redis_url.as_str().into_connection_info() {
            Ok(info) => info,
            // the URL itself may hold a password
            Err(error) => return fail(format!("--redis-url is not the URL of a Redis: {:?}", error.kind())),
        };
        let on_command_line = matches.value_source("redis_url") == Some(ValueSource::CommandLine);
        if on_command_line && info.redis_settings().password().is_some() {
            return fail(format!(
                "--redis-url holds a password, and every user of this machine can read a command line: put it into \
                 {PASSWORD_VARIABLE} or into a file named by --redis-password-file"
            ));
        }
        if (self.once || self.dump) && self.transport == Transport::Pubsub {
            return fail("--once and --dump read a stream; a channel keeps nothing".to_owned());
        }
        Ok(self)
    }

    /// The name in the consumer group.
    pub(crate) fn consumer(&self) -> String {
        match &self.consumer {
            Some(name) => name.clone(),
            None => gethostname::gethostname().to_string_lossy().into_owned(),
        }
    }

    /// How long another consumer's event stays with it.
    pub(crate) fn claim_idle(&self) -> Duration {
        Duration::from_secs(self.claim_idle.into())
    }

    /// How long a consumer that left nothing may be silent.
    pub(crate) fn forget_idle(&self) -> Duration {
        Duration::from_secs(self.forget_idle.into())
    }

    /// How to connect.
    ///
    /// # Errors
    /// A text that names the file that cannot be read or used.
    pub(crate) fn redis(&self) -> Result<RedisTarget, String> {
        let info = self.redis_url.as_str().into_connection_info().map_err(|error| error.to_string())?;
        let password = match &self.redis_password_file {
            Some(path) => {
                let text = read(path, "--redis-password-file")?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => std::env::var(PASSWORD_VARIABLE).ok().filter(|password| !password.is_empty()),
        };
        let root_certificates = match &self.redis_ca_file {
            Some(path) => Some(read(path, "--redis-ca-file")?.into_bytes()),
            None => None,
        };
        let mut settings = info.redis_settings().clone();
        // a variable that is there and empty is none, as with the password
        if let Some(username) = self.redis_username.as_ref().filter(|username| !username.is_empty()) {
            settings = settings.set_username(username);
        }
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        settings = settings.set_lib_name("aws-masker-monitor", env!("CARGO_PKG_VERSION"));
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            ConnectionAddr::TcpTls { host, port, .. } => format!("{host}:{port} (TLS)"),
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => "Redis".to_owned(),
        };
        Ok(RedisTarget { info: info.set_redis_settings(settings), root_certificates, place })
    }
}

/// A Redis, with what it takes to get in.
#[derive(Clone)]
pub(crate) struct RedisTarget {
    /// Address and credentials.
    pub(crate) info: ConnectionInfo,
    /// PEM certificates to trust instead of the system's.
    pub(crate) root_certificates: Option<Vec<u8>>,
    /// Where it is, without credentials: for logs and the page.
    pub(crate) place: String,
}

fn read(path: &Path, flag: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{flag}: cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        let matches = Args::command().try_get_matches_from([&["monitor"], arguments].concat())?;
        Args::from_arg_matches(&matches)?.checked(&matches)
    }

    #[test]
    fn flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_password_on_the_command_line_is_refused_and_not_repeated() {
        for url in ["redis://:hunter2@localhost", "rediss://monitor:hunter2@localhost:6380/3"] {
            let text = parse(&["--redis-url", url]).unwrap_err().to_string();
            assert!(text.contains(PASSWORD_VARIABLE), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_broken_url_is_refused_and_not_repeated() {
        let text = parse(&["--redis-url", "http://:hunter2@localhost"]).unwrap_err().to_string();
        assert!(text.contains("--redis-url") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_user_alone_is_fine_and_the_flag_wins_over_the_url() {
        let args = parse(&["--redis-url", "redis://one@localhost:1234/3", "--redis-username", "two"]).unwrap();
        let target = args.redis().unwrap();
        assert_eq!(target.info.redis_settings().username(), Some("two"));
        assert_eq!(target.info.redis_settings().db(), 3);
        assert_eq!(target.place, "localhost:1234");
    }

    #[test]
    fn an_empty_user_is_none() {
        let args = parse(&["--redis-url", "redis://localhost", "--redis-username", ""]).unwrap();
        assert_eq!(args.redis().unwrap().info.redis_settings().username(), None);
    }

    #[test]
    fn the_password_file_loses_its_line_break_only() {
        let path = std::env::temp_dir().join(format!("aws-masker-monitor-password-{}", std::process::id()));
        fs::write(&path, "  pass word \r\n").unwrap();
        let args = parse(&["--redis-password-file", path.to_str().unwrap()]).unwrap();
        assert_eq!(args.redis().unwrap().info.redis_settings().password(), Some("  pass word "));
        fs::remove_file(&path).unwrap();
        assert!(args.redis().err().unwrap().contains("--redis-password-file"));
    }

    #[test]
    fn a_channel_cannot_be_dumped() {
        assert!(parse(&["--transport", "pubsub", "--dump"]).is_err());
        assert!(parse(&["--transport", "pubsub", "--once"]).is_err());
        assert!(parse(&["--once", "--dump"]).is_err());
    }
}
