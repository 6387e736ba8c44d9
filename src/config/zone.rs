//! The time zone in which schedules tell the time of the day.

use jiff::tz::TimeZone;
use serde::Deserialize;

/// A time zone, by its name in the system's database of time zones: `Europe/Berlin`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        TimeZone::get(&name).map(Self).map_err(|_| {
            format!(
                "`{name}` is no time zone that this machine knows: write one like `Europe/Berlin`, and see that the system's \
                 tzdata is installed"
            )
        })
    }
}
