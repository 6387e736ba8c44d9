#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod appointments;
mod client;
mod contacts;
mod decode;
mod error;
mod exchange;
mod ids;
mod locations;
mod loose;
mod notes;
pub mod oauth;
mod rate_limit;
mod raw;
mod tags;
mod tasks;
mod users;
pub mod webhook;

pub use appointments::Appointment;
pub use client::{BuildError, Client, ClientBuilder, DEFAULT_BASE_URL, DEFAULT_VERSION};
pub use contacts::{
    Contact, ContactList, ContactPages, ContactUpdate, Contacts, Cursor, CustomFieldInput, CustomFieldValue,
    Duplicate, ListQuery, NewContact, SearchAfter, SearchPage, SearchPages, SearchQuery, Upserted,
};
pub use error::{Error, MatchingField};
pub use exchange::{Answer, Exchange, Failure};
pub use ids::{
    AppId, AppointmentId, BusinessId, CalendarId, CompanyId, ContactId, CustomFieldId, LocationId, NoteId,
    TaskId, UserId, WebhookId,
};
pub use locations::{CustomField, CustomFieldModel, Location, LocationSettings, Locations, NewCustomField};
pub use notes::{NewNote, Note, NoteUpdate, Notes};
pub use rate_limit::RateLimit;
pub use raw::{RawBody, RawCall, RawPart};
pub use reqwest::Method;
pub use tags::{Tags, TagsChanged};
pub use tasks::{NewTask, Task, TaskUpdate, Tasks};
pub use users::{User, Users};

/// What every call of this crate gives back.
pub type Result<T> = std::result::Result<Answer<T>, Failure>;

/// An error from somewhere below, kept as the source of one of ours.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
