//! Whose turn it is: the most urgent class first, and none starves.

use crate::priority::Priority;

/// How many places others may take in front of a waiting class before it goes first, by rank. While all classes wait for
/// more than there is, this leaves a person 9 of 16 places, live events 4, retries 2 and a backfill 1.
const PATIENCE: [u32; 4] = [u32::MAX, 3, 7, 15];

/// Remembers who was passed over.
#[derive(Debug, Default)]
pub(super) struct Turns {
    passed_over: [u32; 4],
}

impl Turns {
    /// Who takes the next place, of the classes that wait (by rank).
    pub(super) fn next(&self, waits: [bool; 4]) -> Option<Priority> {
        let waiting = || Priority::ALL.into_iter().filter(|class| waits[class.rank()]);
        let starved = waiting().rev().find(|class| self.passed_over[class.rank()] >= PATIENCE[class.rank()]);
        starved.or_else(|| waiting().next())
    }

    /// A class has taken a place while these were waiting.
    pub(super) fn took(&mut self, class: Priority, waits: [bool; 4]) {
        for (rank, passed_over) in self.passed_over.iter_mut().enumerate() {
            *passed_over =
                if waits[rank] && rank != class.rank() { passed_over.saturating_add(1) } else { 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(waits: [bool; 4], places: usize) -> [usize; 4] {
        let (mut turns, mut taken) = (Turns::default(), [0; 4]);
        for _ in 0..places {
            let class = turns.next(waits).unwrap();
            turns.took(class, waits);
            taken[class.rank()] += 1;
        }
        taken
    }

    #[test]
    fn each_class_has_a_share_and_a_person_the_largest() {
        let [person, live, retry, backfill] = shares([true; 4], 1600);
        assert!(person > 800, "{person}");
        assert!((360..=400).contains(&live) && (180..=200).contains(&retry), "{live} {retry}");
        assert!((90..=100).contains(&backfill), "{backfill}");
    }

    #[test]
    fn the_most_urgent_goes_first_and_who_waits_alone_has_everything() {
        assert_eq!(Turns::default().next([true; 4]), Some(Priority::Person));
        assert_eq!(Turns::default().next([false, true, true, true]), Some(Priority::Live));
        assert_eq!(shares([false, false, false, true], 100), [0, 0, 0, 100]);
        assert_eq!(Turns::default().next([false; 4]), None);
    }
}
