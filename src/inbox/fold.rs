//! Folding: of several states of one subject that wait, only the newest is carried out.

use jiff::Timestamp;

use crate::effect::{Effect, EffectState};
use crate::event::{Event, Source};
use crate::store::Follower;

/// Whether an event that opens a lane waits a moment for others to join it. Saving a customer in a store makes several
/// changes in a row; one call carries them all.
pub fn waits_for_company(source: Source, kind: &str) -> bool {
    source == Source::Cscart && matches!(kind, "customer.updated" | "customer.tags_changed")
}

/// What is carried out in one go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// The events that go with the head.
    pub folded: Vec<i64>,
    /// The one whose payload is the newest; none: the head's own.
    pub newest: Option<i64>,
    /// When that state was reached.
    pub occurred_at: Timestamp,
}

/// Decides which followers are carried out together with the head. Once something of the head has been sent, nothing
/// joins it any more: what was sent must be what is looked for afterwards.
pub fn fold(head: &Event, followers: &[Follower], effects: &[Effect]) -> Fold {
    let mut fold = Fold { folded: Vec::new(), newest: None, occurred_at: head.occurred_at };
    let begun =
        effects.iter().any(|effect| effect.sending_since.is_some() || effect.state == EffectState::Done);
    if begun || head.forced {
        return fold;
    }
    for follower in followers {
        if follower.source == head.source && joins(&head.kind, &follower.kind) {
            fold.folded.push(follower.seq);
            if follower.occurred_at >= fold.occurred_at {
                fold.newest = Some(follower.seq);
                fold.occurred_at = follower.occurred_at;
            }
        } else if is_barrier(&follower.kind) {
            break;
        }
    }
    fold
}

/// Whether a later event of this type is a newer state of the same thing.
fn joins(head: &str, follower: &str) -> bool {
    match head {
        "customer.created" | "customer.updated" => follower == "customer.updated",
        "customer.tags_changed" | "customer.viewed" | "resync" => follower == head,
        _ => false,
    }
}

/// Whether what comes after may not overtake it.
fn is_barrier(kind: &str) -> bool {
    matches!(kind, "customer.created" | "customer.deleted" | "linked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, State, Subject};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn head(kind: &str) -> Event {
        Event {
            id: EventId::new(),
            seq: 0,
            connection: "my-shop".parse().unwrap(),
            source: Source::Cscart,
            source_id: "msg_0".into(),
            kind: kind.into(),
            subject: Subject::other("customer:42"),
            received_at: at(0),
            occurred_at: at(10),
            payload: Vec::new(),
            state: State::Working,
            state_reason: None,
            state_code: None,
            next_attempt_at: None,
            tries: 0,
            failing_since: None,
            folded_into: None,
            replayed_from: None,
            forced: false,
        }
    }

    fn follower(seq: i64, kind: &str, occurred: i64) -> Follower {
        Follower {
            seq,
            id: EventId::new(),
            source: Source::Cscart,
            kind: kind.into(),
            occurred_at: at(occurred),
        }
    }

    #[test]
    fn a_created_and_its_updates_are_one_create_with_the_newest_data() {
        let followers = [
            follower(1, "customer.updated", 11),
            follower(2, "customer.updated", 13),
            follower(3, "customer.updated", 12),
        ];
        let fold = fold(&head("customer.created"), &followers, &[]);
        assert_eq!(fold.folded, [1, 2, 3]);
        assert_eq!(
            (fold.newest, fold.occurred_at),
            (Some(2), at(13)),
            "newest by when it happened, not by arrival"
        );
    }

    #[test]
    fn notes_between_do_not_hinder_and_stay_their_own_events() {
        let followers = [follower(1, "note.created", 11), follower(2, "customer.updated", 12)];
        assert_eq!(fold(&head("customer.created"), &followers, &[]).folded, [2]);
    }

    #[test]
    fn nothing_is_folded_across_a_deletion() {
        let followers = [follower(1, "customer.deleted", 11), follower(2, "customer.updated", 12)];
        assert_eq!(fold(&head("customer.updated"), &followers, &[]).folded, [] as [i64; 0]);
    }

    #[test]
    fn an_older_state_that_arrives_late_is_folded_and_not_used() {
        let fold = fold(&head("customer.updated"), &[follower(1, "customer.updated", 9)], &[]);
        assert_eq!((fold.folded, fold.newest, fold.occurred_at), (vec![1], None, at(10)));
    }
}
