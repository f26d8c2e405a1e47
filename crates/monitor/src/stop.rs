//! The wish to end, seen by all tasks.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether the process should end.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Becomes true with the first SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            sender.send_replace(true);
            // the channel would end with its sender; a second signal changes nothing
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is.
    pub(crate) async fn requested(&mut self) {
        // an error means that the sender is gone, which is a reason to stop as well
        let _ = self.0.wait_for(|is_requested| *is_requested).await;
    }
}
