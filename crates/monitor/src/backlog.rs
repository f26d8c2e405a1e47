//! What a group has still before it, and what it will never get because the stream was trimmed.
//!
//! Redis tells how far a group is behind as a difference of two counts: entries ever added, and entries the group has
//! read. Where entries were trimmed before they were read, that difference stays too high for ever (Redis 7.0, and later
//! ones for some kinds of trimming), so it alone says neither what waits nor what was lost.

/// An entry's id.
pub(crate) type Id = (u64, u64);

/// What XINFO STREAM says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stream {
    pub(crate) length: u64,
    /// Entries ever added; None before Redis 7.
    pub(crate) added: Option<u64>,
    /// The entry added last, also when it is gone.
    pub(crate) last: Id,
    /// The oldest entry; None when there is none.
    pub(crate) first: Option<Id>,
}

/// What XINFO GROUPS says of one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Group {
    /// The entry fetched last.
    pub(crate) delivered: Id,
    /// Entries fetched; None before Redis 7, and where Redis does not know.
    pub(crate) read: Option<u64>,
    pub(crate) pending: u64,
}

/// What a group still has before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Backlog {
    /// Entries not yet fetched by any consumer; None where that cannot be known.
    pub(crate) waiting: Option<u64>,
    /// Entries fetched and not acknowledged.
    pub(crate) pending: u64,
}

/// Keeps apart what waits and what was trimmed, from one look at Redis to the next.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How much too high the difference of the two counts is; None before that could be seen.
    surplus: Option<u64>,
}

impl Tally {
    /// Takes what Redis says now.
    ///
    /// Returns the backlog, and how many entries were trimmed unread since the last call. The first call of a process
    /// counts from the beginning of the group: what was trimmed unread in an earlier life comes again where Redis keeps
    /// it in its counts and nobody could put that right ([`Self::is_off`]), but only together with something new.
    ///
    /// `group` has to be asked for before `stream`: where it has fetched all that was added by then, nothing has moved
    /// in between.
    pub(crate) fn take(&mut self, group: &Group, stream: &Stream) -> (Backlog, u64) {
        let behind = stream.added.zip(group.read).map(|(added, read)| added.saturating_sub(read));
        if stream.added == Some(stream.length) {
            // nothing is gone yet, whatever the group has read
            self.surplus = Some(0);
        }
        let mut lost = 0;
        let waiting = if group.delivered >= stream.last {
            // it may have come past what was trimmed since the last call
            lost = behind.zip(self.surplus).map_or(0, |(surplus, known)| surplus.saturating_sub(known));
            self.surplus = behind.or(self.surplus);
            Some(0)
        } else if stream.first.is_none_or(|first| group.delivered < first) {
            // all that is there is still to be read, and what is not there never will be
            if let Some(behind) = behind {
                let surplus = behind.saturating_sub(stream.length);
                lost = surplus.saturating_sub(self.surplus.unwrap_or(0));
                self.surplus = Some(surplus);
            }
            Some(stream.length)
        } else {
            behind.map(|behind| behind.saturating_sub(self.surplus.unwrap_or(0)).min(stream.length))
        };
        (Backlog { waiting, pending: group.pending }, lost)
    }

    /// Whether Redis counts too few entries as read by `group`, which has fetched all, as `take` was told.
    ///
    /// The next process would take the difference for a loss of its own.
    pub(crate) fn is_off(&self, group: &Group, stream: &Stream) -> bool {
        group.delivered == stream.last && self.surplus.is_some_and(|surplus| surplus > 0)
    }

    /// Redis's count has been put right.
    pub(crate) fn corrected(&mut self) {
        self.surplus = Some(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(added: u64, first: u64) -> Stream {
        let length = (added + 1).saturating_sub(first);
        Stream { length, added: Some(added), last: (added, 0), first: (length > 0).then_some((first, 0)) }
    }

    fn group(delivered: u64, read: u64) -> Group {
        Group { delivered: (delivered, 0), read: Some(read), pending: 0 }
    }

    fn taken(tally: &mut Tally, stream: &Stream, group: &Group) -> (Option<u64>, u64) {
        let (backlog, lost) = tally.take(group, stream);
        (backlog.waiting, lost)
    }

    #[test]
    fn nothing_is_lost_while_nothing_unread_is_trimmed() {
        let mut tally = Tally::default();
        assert_eq!(taken(&mut tally, &stream(50, 1), &group(20, 20)), (Some(30), 0));
        // what was read is gone, and nothing else
        assert_eq!(taken(&mut tally, &stream(50, 21), &group(20, 20)), (Some(30), 0));
        assert_eq!(taken(&mut tally, &stream(50, 21), &group(50, 50)), (Some(0), 0));
        assert_eq!(taken(&mut tally, &stream(50, 51), &group(50, 50)), (Some(0), 0));
    }

    #[test]
    fn what_was_trimmed_unread_is_lost_once_and_does_not_wait() {
        let mut tally = Tally::default();
        assert_eq!(taken(&mut tally, &stream(1050, 801), &group(20, 20)), (Some(250), 780));
        assert_eq!(taken(&mut tally, &stream(1060, 801), &group(20, 20)), (Some(260), 0));
        // Redis counts what was fetched, not how far that is
        assert_eq!(taken(&mut tally, &stream(1060, 801), &group(811, 31)), (Some(249), 0));
        assert_eq!(taken(&mut tally, &stream(1060, 801), &group(1060, 280)), (Some(0), 0));
        assert_eq!(taken(&mut tally, &stream(1070, 801), &group(1065, 285)), (Some(5), 0));
        assert_eq!(taken(&mut tally, &stream(2000, 1901), &group(1065, 285)), (Some(100), 835));
        // all of it
        assert_eq!(taken(&mut tally, &stream(3000, 3001), &group(2000, 385)), (Some(0), 1000));
    }

    #[test]
    fn what_was_trimmed_between_two_calls_is_lost_too() {
        let mut tally = Tally::default();
        assert_eq!(taken(&mut tally, &stream(50, 1), &group(50, 50)), (Some(0), 0));
        // it has read on beyond the gap, and Redis does not know of it
        assert_eq!(taken(&mut tally, &stream(300, 201), &group(300, 200)), (Some(0), 100));
        assert_eq!(taken(&mut tally, &stream(300, 201), &group(300, 200)), (Some(0), 0));
    }

    #[test]
    fn what_is_trimmed_before_a_new_group_has_read_anything_is_lost() {
        let mut tally = Tally::default();
        let new = Group { read: None, ..group(0, 0) };
        assert_eq!(taken(&mut tally, &stream(0, 1), &new), (Some(0), 0));
        // all between two calls
        assert_eq!(taken(&mut tally, &stream(300, 201), &group(300, 200)), (Some(0), 100));
    }

    #[test]
    fn counts_that_were_put_right_show_the_next_loss_alone() {
        let mut tally = Tally::default();
        let (all, read) = (stream(300, 201), group(300, 200));
        taken(&mut tally, &stream(50, 1), &group(50, 50));
        assert!(!tally.is_off(&group(50, 50), &stream(50, 1)));
        taken(&mut tally, &all, &read);
        assert!(tally.is_off(&read, &all));
        assert!(!tally.is_off(&group(299, 199), &all));
        tally.corrected();
        assert!(!tally.is_off(&group(300, 300), &all));
        let mut next_life = Tally::default();
        for tally in [&mut tally, &mut next_life] {
            assert_eq!(taken(tally, &stream(500, 451), &group(300, 300)), (Some(50), 150));
        }
    }

    #[test]
    fn an_earlier_life_is_not_taken_for_a_backlog() {
        let mut tally = Tally::default();
        assert_eq!(taken(&mut tally, &stream(1060, 801), &group(1060, 280)), (Some(0), 0));
        assert_eq!(taken(&mut tally, &stream(1062, 801), &group(1060, 280)), (Some(2), 0));
        // one that has caught up in the meantime, or that counts otherwise
        assert_eq!(taken(&mut tally, &stream(1062, 801), &group(1061, 1061)), (Some(0), 0));
    }

    #[test]
    fn without_counts_the_ends_are_known() {
        let mut tally = Tally::default();
        let stream = Stream { added: None, ..stream(50, 31) };
        let group = |delivered| Group { delivered: (delivered, 0), read: None, pending: 3 };
        assert_eq!(tally.take(&group(50), &stream), (Backlog { waiting: Some(0), pending: 3 }, 0));
        assert_eq!(tally.take(&group(10), &stream), (Backlog { waiting: Some(20), pending: 3 }, 0));
        assert_eq!(tally.take(&group(40), &stream), (Backlog { waiting: None, pending: 3 }, 0));
    }
}
