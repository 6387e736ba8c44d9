//! The HTTP server under both systems: connections, faults, the journal.

pub(crate) mod answer;
pub(crate) mod request;
mod socket;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch};

use self::{
    answer::{Answer, Cut, Payload},
    request::Request,
    socket::Socket,
};
use crate::{
    clock,
    control::{self, Control, System, faults::FaultKind, journal::Record},
};

/// The largest body that either system reads; larger ones are answered with 413.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Accepts connections until `stop` turns true, then drops them all.
pub(crate) async fn run(listener: TcpListener, control: Control, mut stop: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: give the others time to close.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Small answers must not wait for the peer's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (control, mut stop) = (control.clone(), stop.clone());
        tokio::spawn(async move {
            let reset = Arc::new(AtomicBool::new(false));
            let socket = Socket::new(stream, Arc::clone(&reset));
            let service = service_fn(|request| exchange(&control, &reset, request));
            let connection = http1::Builder::new()
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(socket), service);
            tokio::select! {
                // Its error is a client that went away, or a fault that did its work.
                _ = connection => {}
                _ = stop.wait_for(|stopped| *stopped) => {}
            }
        });
    }
}

/// One request and its answer, or the cut of the connection.
async fn exchange(
    control: &Control,
    reset: &AtomicBool,
    request: hyper::Request<Incoming>,
) -> Result<Response<Payload>, Cut> {
    let (parts, body) = request.into_parts();
    let raw = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Ok(control.system().bare(413, None).whole());
        }
        Err(_) => return Err(Cut),
    };
    let request = Request::new(parts, raw);
    if request.path.starts_with(control::http::PREFIX) {
        return Ok(control::http::answer(control, request).await.whole());
    }
    let system = control.system();
    let fault = system.core().faults.strike(request.method.as_str(), &request.path, &request.raw);
    match fault {
        None => Ok(carry_out(system, request, None).whole()),
        Some(fault) => spoil(system, reset, request, fault).await,
    }
}

/// Answers a request with a fault.
async fn spoil(
    system: &dyn System,
    reset: &AtomicBool,
    request: Request,
    fault: FaultKind,
) -> Result<Response<Payload>, Cut> {
    let name = Some(fault.name());
    match fault {
        FaultKind::Status { status, processed, headers, body } => {
            let effect = if processed { system.handle(&request).effect } else { None };
            let mut answer = match body {
                None => system.bare(status, Some(&request)),
                Some(serde_json::Value::String(text)) => {
                    let mut answer = system.bare(status, Some(&request));
                    answer.body = Bytes::from(text);
                    answer
                }
                Some(body) => {
                    let mut answer = system.bare(status, Some(&request));
                    answer.body = body.to_string().into();
                    answer
                }
            };
            for (name, value) in &headers {
                answer.header(name, value);
            }
            let answer = answer.with_effect(effect);
            record(system, request, Some(status), &answer, name);
            Ok(answer.whole())
        }
        FaultKind::Delay { ms, processed: true } => {
            let answer = carry_out(system, request, name);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(answer.whole())
        }
        FaultKind::Delay { ms, processed: false } => {
            // A client that hangs up drops this future: the guard then notes that nothing was done.
            let mut abandoned = Abandoned { system, request: Some(request), fault: name };
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let request = abandoned.request.take().ok_or(Cut)?;
            Ok(carry_out(system, request, name).whole())
        }
        FaultKind::ResetBefore => {
            record(system, request, None, &Answer::empty(0), name);
            reset.store(true, Ordering::Release);
            Err(Cut)
        }
        FaultKind::ResetAfter => {
            let answer = system.handle(&request);
            record(system, request, None, &answer, name);
            reset.store(true, Ordering::Release);
            Err(Cut)
        }
        FaultKind::CutAnswer => Ok(carry_out(system, request, name).half()),
        FaultKind::Malformed => {
            let mut answer = carry_out(system, request, name);
            let broken = answer.body.len().saturating_sub(1).max(1);
            answer.body = if answer.body.is_empty() {
                Bytes::from_static(b"{")
            } else {
                answer.body.slice(..broken.min(answer.body.len()))
            };
            Ok(answer.whole())
        }
    }
}

/// Lets the system handle the request and notes it.
fn carry_out(system: &dyn System, request: Request, fault: Option<&'static str>) -> Answer {
    let answer = system.handle(&request);
    record(system, request, Some(answer.status), &answer, fault);
    answer
}

fn record(
    system: &dyn System,
    request: Request,
    status: Option<u16>,
    answer: &Answer,
    fault: Option<&'static str>,
) {
    let journal = &system.core().journal;
    if journal.is_on() {
        journal.append(Record {
            at_ms: clock::now_ms(),
            method: request.method.as_str().to_owned(),
            path: request.path,
            query: request.query_string,
            body: request.body.into_journal(),
            status,
            effect: answer.effect.clone(),
            fault,
        });
    }
}

/// A delayed request whose client may go away before it is carried out.
struct Abandoned<'a> {
    system: &'a dyn System,
    request: Option<Request>,
    fault: Option<&'static str>,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            record(self.system, request, None, &Answer::empty(0), self.fault);
        }
    }
}
