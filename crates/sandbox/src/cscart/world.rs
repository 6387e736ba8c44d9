//! Which CS-Cart is simulated: its version and edition, what is installed, and what its clock says.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::{Map, Value};

use crate::{
    clock,
    control::{problem::ActError, settings::Fields},
};

/// A version of CS-Cart, as far as its API differs from the others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum CscartVersion {
    /// 4.10: orders are not listed by when they were changed, and not in full.
    V4_10,
    /// 4.13: they are.
    V4_13,
    /// 4.15, as 4.13.
    V4_15,
    /// 4.20: users are listed by their type only; an unknown user is an empty list; there are product reviews.
    #[default]
    V4_20,
}

/// Which of the two products it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CscartEdition {
    /// CS-Cart: it has storefronts.
    #[default]
    Ultimate,
    /// Multi-Vendor: it has vendors.
    Multivendor,
}

const VERSIONS: [(&str, CscartVersion); 4] = [
    ("4.10", CscartVersion::V4_10),
    ("4.13", CscartVersion::V4_13),
    ("4.15", CscartVersion::V4_15),
    ("4.20", CscartVersion::V4_20),
];
const EDITIONS: [(&str, CscartEdition); 2] =
    [("ultimate", CscartEdition::Ultimate), ("multivendor", CscartEdition::Multivendor)];

impl FromStr for CscartVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        find(&VERSIONS, text)
    }
}

impl FromStr for CscartEdition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        find(&EDITIONS, text)
    }
}

fn find<T: Copy>(known: &[(&str, T)], text: &str) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, it)| *it);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("`{text}` is not one of {}", names.join(", "))
    })
}

impl fmt::Display for CscartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSIONS.iter().find(|(_, it)| it == self).map_or("", |(name, _)| name))
    }
}

impl fmt::Display for CscartEdition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EDITIONS.iter().find(|(_, it)| it == self).map_or("", |(name, _)| name))
    }
}

/// What the store is like.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) version: CscartVersion,
    pub(crate) edition: CscartEdition,
    /// Whether Cartbridge's add-on is installed: without it nothing is told, and there are no signed calls.
    pub(crate) addon: bool,
    /// CS-Cart's own add-ons that are active.
    pub(crate) modules: Vec<String>,
    /// Whether an e-mail address is one customer in all storefronts.
    pub(crate) shared_users: bool,
    /// How far the store's clock is ahead.
    pub(crate) clock_offset_s: i64,
}

/// Add-ons of CS-Cart that bring an entity of the API.
const MODULES: &[&str] = &["call_requests", "discussion", "product_reviews"];

/// The settings that are about the store itself.
pub(super) const SETTINGS: &[&str] =
    &["cscart_version", "edition", "addon", "modules", "shared_users", "clock_offset_s"];

impl World {
    pub(crate) fn new(version: CscartVersion, edition: CscartEdition) -> Self {
        Self {
            version,
            edition,
            addon: true,
            modules: MODULES.iter().map(|name| (*name).to_owned()).collect(),
            shared_users: true,
            clock_offset_s: 0,
        }
    }

    /// With what the settings say otherwise.
    pub(super) fn with(&self, settings: &Map<String, Value>) -> Result<Self, ActError> {
        let fields = Fields(settings);
        let mut world = self.clone();
        if let Some(text) = fields.text("cscart_version")? {
            world.version =
                text.parse().map_err(|error| ActError::new(format!("`cscart_version`: {error}")))?;
        }
        if let Some(text) = fields.text("edition")? {
            world.edition = text.parse().map_err(|error| ActError::new(format!("`edition`: {error}")))?;
        }
        world.addon = fields.bool("addon")?.unwrap_or(world.addon);
        world.shared_users = fields.bool("shared_users")?.unwrap_or(world.shared_users);
        if let Some(modules) = fields.texts("modules")? {
            if let Some(unknown) = modules.iter().find(|name| !MODULES.contains(&name.as_str())) {
                return Err(ActError::unknown("module", unknown, MODULES));
            }
            world.modules = modules;
        }
        if let Some(offset) = settings.get("clock_offset_s") {
            world.clock_offset_s = offset.as_i64().ok_or_else(|| {
                ActError::new(format!("`clock_offset_s` is {offset}. Allowed: a whole number of seconds"))
            })?;
        }
        Ok(world)
    }

    pub(super) fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|name| name == module)
    }

    /// What the store's clock says, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        clock::now_ms() + self.clock_offset_s * 1000
    }

    /// The same as the database keeps it: seconds, as text.
    pub(super) fn now(&self) -> String {
        (self.now_ms() / 1000).to_string()
    }

    /// The header `Date` of its answers.
    pub(super) fn date(&self) -> String {
        let now = Timestamp::from_millisecond(self.now_ms()).unwrap_or_default();
        DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default()
    }

    /// `version` in what the add-on says of the store.
    pub(super) fn full_version(&self) -> &'static str {
        match self.version {
            CscartVersion::V4_10 => "4.10.4.SP1",
            CscartVersion::V4_13 => "4.13.3",
            CscartVersion::V4_15 => "4.15.2",
            CscartVersion::V4_20 => "4.20.1",
        }
    }

    /// `edition` in the same.
    pub(super) fn full_edition(&self) -> &'static str {
        match self.edition {
            CscartEdition::Ultimate => "ULTIMATE",
            CscartEdition::Multivendor => "MULTIVENDOR",
        }
    }
}
