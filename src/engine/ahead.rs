//! What comes next in the routes of an event, as far as the results so far tell it.

use std::collections::VecDeque;

use super::verdict::Verdict;
use crate::flow::{Next, PlanError, PlannedDelay, PlannedStep, Run};
use crate::reason::Code;

/// What is to be done, as far as it is known before the results of what comes first.
#[derive(Default)]
pub(super) struct Ahead {
    todo: VecDeque<Todo>,
    /// Nothing comes after it.
    pub(super) ended: bool,
    /// Why the first step or route does not run that does not.
    pub(super) skipped: Option<String>,
    /// How the event ends because of the first route that failed; the others are carried out all the same.
    pub(super) failed: Option<Verdict>,
}

/// Something to be done.
pub(super) enum Todo {
    Step(PlannedStep),
    Delay(PlannedDelay),
}

impl Todo {
    pub(super) fn route(&self) -> &str {
        match self {
            Self::Step(planned) => &planned.key.route,
            Self::Delay(delay) => &delay.key.route,
        }
    }
}

impl Ahead {
    /// Looks as far ahead as the results allow. So a mistake is found before anything of its route is done, where it can be.
    pub(super) fn look(&mut self, run: &mut Run<'_>) {
        while !self.ended {
            match run.next() {
                Ok(Next::Step(planned)) => self.todo.push_back(Todo::Step(planned)),
                Ok(Next::Delay(delay)) => self.todo.push_back(Todo::Delay(delay)),
                Ok(Next::Skipped(skipped)) => {
                    self.skipped.get_or_insert(skipped.why);
                }
                Ok(Next::Waits) => break,
                Ok(Next::End) => self.ended = true,
                Err(error) => {
                    let route = error.route.clone();
                    self.fail(run, &route, mistake(error));
                }
            }
        }
    }

    pub(super) fn next(&mut self, run: &mut Run<'_>) -> Option<Todo> {
        self.look(run);
        self.todo.pop_front()
    }

    /// The rest of a route is not carried out.
    pub(super) fn fail(&mut self, run: &mut Run<'_>, route: &str, verdict: Verdict) {
        run.abandon(route);
        self.todo.retain(|todo| todo.route() != route);
        self.failed.get_or_insert(verdict);
    }

    /// Whether nothing comes any more, and nothing has failed.
    pub(super) fn is_over(&self) -> bool {
        self.is_empty() && self.ended && self.failed.is_none()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.todo.is_empty()
    }
}

/// How an event ends whose route has a mistake.
pub(super) fn mistake(error: PlanError) -> Verdict {
    Verdict::dead(Code::RouteMistake, format!("{error}. Mend the route, then replay"))
}
