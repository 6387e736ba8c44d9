//! The resync of one customer: its event is filed, and what becomes of it is told.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::load_routes;
use crate::cli::jobs::host::Host;
use crate::cli::jobs::start::take_in;
use crate::cli::{connection, database};
use crate::clock::Clock;
use crate::connection::ConnectionName;
use crate::effect::{Effect, EffectState};
use crate::event::{Event, EventId, State};
use crate::inbox::{Inbox, Incoming};
use crate::link::Customer;
use crate::lock::Work;
use crate::store::Store;

/// How often it is looked what has become of the event.
const LOOK: Duration = Duration::from_millis(100);
/// An event that nobody has begun after so long has others before it.
const LONG: Duration = Duration::from_secs(5);

/// Files the event, and tells how it ended unless nobody waits for that.
pub(super) async fn run(
    file: Option<PathBuf>,
    name: &ConnectionName,
    customer: &Customer,
    wait: bool,
) -> anyhow::Result<ExitCode> {
    let (config, store) = database::open_or_make(file)?;
    let clock = Clock::system();
    take_in(&config, &store, &clock).await?;
    connection::find(&*store, name).await?;
    let routes = load_routes(config.routes_dir.as_deref())?;
    let inbox = Inbox::new(Arc::clone(&store), routes, clock, Arc::new(Notify::new()), Duration::ZERO);
    let id = inbox.append(name, Incoming::resync(customer)).await?.id;
    if !wait {
        println!(
            "Event {id} will run as soon as the bridge does; `cartbridge events show {id}` tells how it went."
        );
        return Ok(ExitCode::SUCCESS);
    }
    let host = Host::begin(config, Work::Resync).await?;
    if host.is_own() {
        eprintln!("No bridge runs on this database, so this command carries it out.");
    }
    let ended = watch(&*store, id, host.asked_to_stop()).await;
    host.end().await?;
    let Some((event, effects)) = ended? else {
        eprintln!(
            "Event {id} stays, and the bridge goes on with it; `cartbridge events show {id}` tells how it went."
        );
        return Ok(ExitCode::from(2));
    };
    println!("{}", told(customer, &event, &effects));
    println!("`cartbridge events show {}` has each call.", event.id);
    Ok(exit_code(event.state))
}

/// Waits until the event rests, and says meanwhile why it does not yet; none: somebody has asked to stop.
async fn watch(
    store: &dyn Store,
    mut id: EventId,
    asked: &CancellationToken,
) -> anyhow::Result<Option<(Event, Vec<Effect>)>> {
    let mut said = None;
    let (began, mut told) = (Instant::now(), false);
    loop {
        let (event, effects) =
            store.event(id).await?.ok_or_else(|| anyhow!("there is no event {id} any more"))?;
        match event.state {
            State::Folded => {
                // It was carried out with another one; that tells what was done.
                id =
                    event.folded_into.ok_or_else(|| anyhow!("event {id} went with one that is not known"))?;
                continue;
            }
            State::Done | State::Ignored | State::Dead | State::Parked => return Ok(Some((event, effects))),
            State::Pending | State::Working | State::Waiting => {}
        }
        if event.state == State::Waiting && event.state_reason != said {
            if let Some(reason) = &event.state_reason {
                eprintln!("It waits and is tried again: {reason}. Ctrl-C ends the waiting.");
            }
            said.clone_from(&event.state_reason);
        }
        if event.state == State::Pending && began.elapsed() > LONG && !std::mem::replace(&mut told, true) {
            let subject = &event.subject;
            eprintln!(
                "It waits for its turn; `cartbridge events list --subject {subject}` shows what is before it."
            );
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = asked.cancelled() => return Ok(None),
        }
    }
}

/// What was done, a line each, or why it was not.
fn told(customer: &Customer, event: &Event, effects: &[Effect]) -> String {
    let reason = event.state_reason.as_deref().unwrap_or("nothing is said of why");
    let mut lines: Vec<String> =
        effects.iter().filter(|effect| is_over(effect)).map(|effect| format!("  {}", step(effect))).collect();
    let first = match event.state {
        State::Done if lines.is_empty() => format!("{customer} is done: {reason}"),
        State::Done => format!("{customer} is done:"),
        State::Dead => format!(
            "{customer} is not resynced: {reason}. When that is mended, `cartbridge events replay {}` goes on",
            event.id
        ),
        State::Parked => format!(
            "{customer} waits: {reason}. It goes on by itself when that is mended and the bridge runs"
        ),
        _ => format!("{customer} is not resynced: {reason}"),
    };
    lines.insert(0, first);
    lines.join("\n")
}

fn is_over(effect: &Effect) -> bool {
    matches!(effect.state, EffectState::Done | EffectState::Skipped | EffectState::Failed)
}

/// What a step has come to.
fn step(effect: &Effect) -> String {
    let result = &effect.result;
    let text = |key: &str| result[key].as_str().unwrap_or_default();
    let list = |key: &str, between: &str| {
        let items = result[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(between)
    };
    let contact = text("contact_id");
    let mut told = match (effect.state, effect.operation.as_str()) {
        (EffectState::Failed, operation) => format!("{operation} was refused: {}", text("reason")),
        (EffectState::Skipped, _) => format!("nothing had to be sent: {}", text("reason")),
        _ if result["adopted"] == true => match list("filled", ", ") {
            filled if filled.is_empty() => format!("linked with contact {contact}, which was there"),
            filled => format!("linked with contact {contact}, which was there; filled in: {filled}"),
        },
        (_, "ghl.contact.create") => format!("contact {contact} was made"),
        (_, "ghl.contact.update") => match list("changed", ", ") {
            changed if changed.is_empty() => format!("contact {contact} got its tags"),
            changed => format!("contact {contact} was changed: {changed}"),
        },
        (_, operation) => format!("{operation} was done"),
    };
    let left_out = list("left_out", "; ");
    if !left_out.is_empty() {
        told = format!("{told} (left out: {left_out})");
    }
    told
}

/// 0: it is done; 1: it is not, and a person is to look at it; 2: it is not done yet.
fn exit_code(state: State) -> ExitCode {
    match state {
        State::Done => ExitCode::SUCCESS,
        State::Dead | State::Ignored => ExitCode::from(1),
        _ => ExitCode::from(2),
    }
}
