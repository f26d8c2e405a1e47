//! How often each kind was replaced in this process. The host asks for it now and then: a loop over the kinds of every
//! exchange would cost it more than the exchange's other counts together.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::args;
use crate::guard::guard;
use crate::session::{KindCount, Session};
use crate::status::Status;

/// By name: detectors come and go, and each has custom patterns of its own.
static TALLY: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Counts that are lent, and what their names point to.
struct Lent {
    counts: Vec<KindCount>,
    taken: BTreeMap<String, u64>,
}

thread_local! {
    static LENT: RefCell<Lent> = const { RefCell::new(Lent { counts: Vec::new(), taken: BTreeMap::new() }) };
}

/// Adds what `awsm_session_kinds` tells of a session to the counts of the process. To be called once for an exchange.
///
/// # Safety
/// - `session` is live and not used by another call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_session_tally(session: *mut Session) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the handle is live and not in use.
        let session = unsafe { args::exclusive(session)? };
        session.run(|session| {
            let mut tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, count) in session.inner.kinds() {
                match tally.get_mut(name) {
                    Some(total) => *total += count,
                    None => {
                        tally.insert(name.to_owned(), count);
                    }
                }
            }
            Ok(Status::Ok)
        })
    })
}

/// What sessions added by `awsm_session_tally` since the last call of this, in any thread: names of kinds, and how many
/// stretches of each were replaced.
///
/// # Lifetimes
/// The array and the names are lent until the next call of this function in this thread.
///
/// # Safety
/// - `out` and `out_len` are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn awsm_take_tally(out: *mut *const KindCount, out_len: *mut usize) -> Status {
    guard(|| {
        // SAFETY: the caller promises that the outputs are valid for writes.
        let (out, out_len) = unsafe { (args::output(out)?, args::output(out_len)?) };
        let taken = std::mem::take(&mut *TALLY.lock().unwrap_or_else(PoisonError::into_inner));
        LENT.with_borrow_mut(|lent| {
            lent.counts.clear();
            lent.taken = taken;
            lent.counts.extend(lent.taken.iter().map(|(name, &count)| KindCount::new(name, count)));
            out.write(lent.counts.as_ptr());
            out_len.write(lent.counts.len());
        });
        Ok(Status::Ok)
    })
}
