//! Connections of browsers and scrapers, bounded in number and in silence: who reaches the port must not be able to use
//! up the descriptors that the connection to Redis needs.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at a time. Far more than browsers and scrapers make, and half of what a process may usually open.
pub(crate) const MAX_CONNECTIONS: usize = 512;
/// How long a connection may go without being told anything. Longer than scrapers wait between two requests, and an
/// open page is told something each second.
pub(crate) const LONGEST_SILENCE: Duration = Duration::from_secs(75);

/// A listener with limits.
pub(crate) struct Limited {
    listener: TcpListener,
    places: Arc<Semaphore>,
    longest_silence: Duration,
}

impl Limited {
    pub(crate) fn new(listener: TcpListener, connections: usize, longest_silence: Duration) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(connections)), longest_silence }
    }
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    /// Who comes while all places are taken waits in the system's queue.
    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // fails only when somebody closes the semaphore, which nobody does
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let silence = Box::pin(sleep(self.longest_silence));
        (Connection { stream, silence, longest_silence: self.longest_silence, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that fails when nothing is written for long. What is read does not count: a request that comes byte by
/// byte could hold its place for ever.
pub(crate) struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    longest_silence: Duration,
    /// Given back when the connection ends.
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Waits for `poll`, but not in silence for too long.
    fn within_silence<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = poll(Pin::new(&mut self.stream), cx) {
            return Poll::Ready(result);
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Passes on what a write gave.
    fn written(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = result {
            self.silence.as_mut().reset(Instant::now() + self.longest_silence);
        }
        result
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.within_silence(cx, |stream, cx| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.within_silence(cx, |stream, cx| stream.poll_write(cx, buf));
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.within_silence(cx, |stream, cx| stream.poll_write_vectored(cx, bufs));
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream as Client;

    use axum::Router;
    use axum::routing::get;

    async fn serve(connections: usize, silence: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "ok" }));
        tokio::spawn(async move { axum::serve(Limited::new(listener, connections, silence), router).await });
        address
    }

    /// What comes back, to the end of the connection.
    fn ask(address: SocketAddr) -> String {
        let mut client = Client::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn silent_connections_make_room_after_a_while() {
        let address = serve(2, Duration::from_millis(300)).await;
        tokio::task::spawn_blocking(move || {
            let mut silent = [(); 2].map(|()| Client::connect(address).unwrap());
            silent[1].write_all(b"GET / HT").unwrap();
            assert!(ask(address).ends_with("ok"));
            for client in &mut silent {
                assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_that_comes_byte_by_byte_makes_room_too() {
        let address = serve(1, Duration::from_millis(300)).await;
        tokio::task::spawn_blocking(move || {
            let mut slow = Client::connect(address).unwrap();
            slow.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
            let second = std::thread::spawn(move || ask(address));
            let started = std::time::Instant::now();
            while !second.is_finished() {
                assert!(started.elapsed() < Duration::from_secs(10), "it holds its place");
                // fails once the connection is closed
                let _ = slow.write_all(b"x");
                std::thread::sleep(Duration::from_millis(50));
            }
            assert!(second.join().unwrap().ends_with("ok"));
        })
        .await
        .unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn more_connections_than_there_are_places_wait() {
        let address = serve(1, Duration::from_secs(60)).await;
        tokio::task::spawn_blocking(move || {
            let first = Client::connect(address).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            let second = std::thread::spawn(move || ask(address));
            std::thread::sleep(Duration::from_millis(300));
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().unwrap().ends_with("ok"));
        })
        .await
        .unwrap();
    }
}
