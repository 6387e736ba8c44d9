//! Locations and their custom fields: `/locations` (locations.json).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, CompanyId, CustomFieldId, LocationId, Result, client::Call, decode, loose};

/// Calls about locations; from [`Client::locations`].
#[derive(Clone, Copy, Debug)]
pub struct Locations<'a> {
    pub(crate) client: &'a Client,
}

impl Locations<'_> {
    /// One location. Its settings say whether duplicates are allowed.
    pub async fn get(&self, location: &LocationId) -> Result<Location> {
        let call = Call::get(&["locations", location.as_str()]);
        self.client.send(call, |value| decode::under("location", value)).await
    }

    /// The definitions of the location's custom fields: those of contacts and of opportunities when `model`
    /// is `None` — which of them the server gives then is not documented, so name one.
    pub async fn custom_fields(
        &self,
        location: &LocationId,
        model: Option<CustomFieldModel>,
    ) -> Result<Vec<CustomField>> {
        let call = Call::get(&["locations", location.as_str(), "customFields"])
            .opt_query("model", model.map(CustomFieldModel::as_str));
        self.client.send(call, |value| decode::under("customFields", value)).await
    }

    /// Makes a custom field. Its key is made of its name. Whether a second one of the same name is refused is not
    /// documented: after an answer that never came look first.
    pub async fn create_custom_field(
        &self,
        location: &LocationId,
        field: &NewCustomField,
    ) -> Result<CustomField> {
        let call = Call::post(&["locations", location.as_str(), "customFields"]).json(field);
        self.client.send(call, |value| decode::under("customField", value)).await
    }
}

/// A custom field to be made (locations.json, `CreateCustomFieldsDTO`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCustomField {
    /// Its name, as people see it.
    pub name: String,
    /// Its kind: `TEXT`, `NUMERICAL`, `DATE`…
    pub data_type: String,
    /// `contact` or `opportunity`.
    pub model: String,
}

impl NewCustomField {
    /// A field of contacts.
    pub fn of_contacts(name: impl Into<String>, data_type: impl Into<String>) -> Self {
        let model = CustomFieldModel::Contact.as_str().to_owned();
        Self { name: name.into(), data_type: data_type.into(), model }
    }
}

/// What custom fields belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomFieldModel {
    /// Fields of contacts.
    Contact,
    /// Fields of opportunities.
    Opportunity,
    /// Both.
    All,
}

impl CustomFieldModel {
    /// The word in the query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
            Self::All => "all",
        }
    }
}

/// A location as HighLevel gives it (locations.json, `GetLocationByIdSchema`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// The company that owns it.
    #[serde(default, deserialize_with = "loose::opt_id")]
    pub company_id: Option<CompanyId>,
    /// Its name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub name: Option<String>,
    /// Its time zone, as in `America/Chicago`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub timezone: Option<String>,
    /// Its country, ISO alpha-2.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub country: Option<String>,
    /// Its e-mail address.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub email: Option<String>,
    /// Its phone number.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub phone: Option<String>,
    /// Its rules.
    #[serde(default, deserialize_with = "loose::or_default")]
    pub settings: LocationSettings,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The rules of a location (`SettingsSchema`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocationSettings {
    /// Whether two contacts may have the same e-mail address or phone number. `None`: it did not say.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub allow_duplicate_contact: Option<bool>,
    /// The same for opportunities.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub allow_duplicate_opportunity: Option<bool>,
    /// Whether contacts have no time zone of their own.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub disable_contact_timezone: Option<bool>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The definition of a custom field (`CustomFieldSchema`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CustomField {
    /// Its id: what values refer to.
    pub id: CustomFieldId,
    /// Its name, as people see it.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub name: Option<String>,
    /// Its key, as in `contact.pincode`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub field_key: Option<String>,
    /// Its kind: `TEXT`, `LARGE_TEXT`, `NUMERICAL`, `DATE`, `SINGLE_OPTIONS`…
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub data_type: Option<String>,
    /// What may be chosen, for the kinds that offer a choice.
    #[serde(default, deserialize_with = "picklist")]
    pub picklist_options: Vec<String>,
    /// `contact` or `opportunity`.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub model: Option<String>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Strings by the document; objects with a `value`, `label` or `name` are taken as well.
fn picklist<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    let options: Vec<Value> = loose::list(deserializer)?;
    Ok(options
        .iter()
        .filter_map(|option| match option {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            option => {
                ["value", "label", "name"].iter().find_map(|key| option.get(key)?.as_str()).map(str::to_owned)
            }
        })
        .collect())
}
