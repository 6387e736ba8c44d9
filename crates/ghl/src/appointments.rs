//! Appointments of a contact: `/contacts/{contactId}/appointments` (contacts.json).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AppointmentId, CalendarId, ContactId, LocationId, UserId, loose};

/// An appointment as HighLevel gives it with a contact (contacts.json, `GetEventSchema`).
///
/// Its times have neither offset nor zone in the documented example (`2021-07-16 11:00:00`): most likely they
/// are in the location's time zone. They are left as they came.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Appointment {
    /// Its id.
    pub id: AppointmentId,
    /// The calendar that it is in.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub calendar_id: Option<CalendarId>,
    /// Whether the slot is booked.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub status: Option<String>,
    /// How the appointment stands: `new`, `confirmed`, `cancelled`, `showed`, `noshow`…
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub appointment_status: Option<String>,
    /// Its title.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub title: Option<String>,
    /// Who meets the contact.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub assigned_user_id: Option<UserId>,
    /// Notes on it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub notes: Option<String>,
    /// When it begins, as HighLevel wrote it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub start_time: Option<String>,
    /// When it ends, as HighLevel wrote it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub end_time: Option<String>,
    /// Where it is.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub address: Option<String>,
    /// The location that it belongs to.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub location_id: Option<LocationId>,
    /// With whom it is.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub contact_id: Option<ContactId>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
