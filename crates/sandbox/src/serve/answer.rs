//! An answer before it is put on the wire, and the bodies that can be cut on the way.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{self, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::control::journal::Effect;

/// What a simulated system answers, and what it did.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) effect: Option<Effect>,
}

impl Answer {
    /// A JSON answer. Values that cannot be written as JSON do not exist here: maps with string keys only.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, headers: vec![json_type()], body: body.into(), effect: None }
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), effect: None }
    }

    pub(crate) fn with_effect(mut self, effect: Option<Effect>) -> Self {
        self.effect = effect;
        self
    }

    /// Adds a header unless name or value cannot be one.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.push((name, value));
        }
    }

    /// The whole answer for the wire.
    pub(crate) fn whole(self) -> Response<Payload> {
        let body = self.body.clone();
        self.onto(Payload::Whole(Some(body)))
    }

    /// Status, headers and half of the body; then the connection ends.
    pub(crate) fn half(self) -> Response<Payload> {
        let (length, half) = (self.body.len() as u64, self.body.slice(..self.body.len() / 2));
        self.onto(Payload::Cut { length, half: Some(half), flushed: false })
    }

    fn onto(self, payload: Payload) -> Response<Payload> {
        let mut response = Response::new(payload);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The content type of every answer with a body.
pub(crate) fn json_type() -> (HeaderName, HeaderValue) {
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
}

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by a fault")]
pub(crate) struct Cut;

/// A response body that is sent whole, or breaks off in the middle.
pub(crate) enum Payload {
    Whole(Option<Bytes>),
    Cut { length: u64, half: Option<Bytes>, flushed: bool },
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(body) => {
                Poll::Ready(body.take().filter(|it| !it.is_empty()).map(|it| Ok(Frame::data(it))))
            }
            Self::Cut { half, flushed, .. } => match half.take() {
                Some(half) if !half.is_empty() => Poll::Ready(Some(Ok(Frame::data(half)))),
                // One pending turn lets the server flush head and half before the error drops the socket.
                _ if !*flushed => {
                    *flushed = true;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => Poll::Ready(Some(Err(Cut))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.as_ref().is_none_or(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |it| it.len() as u64)),
            Self::Cut { length, .. } => SizeHint::with_exact(*length),
        }
    }
}
