//! Where an app is installed: `GET /oauth/installedLocations` (oauth.json).

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    AppId, Client, CompanyId, Failure, LocationId, Result,
    client::Call,
    decode::{self, Misfit},
    loose,
};

/// A page of the locations of a company (`GetInstalledLocationsSuccessfulResponseDto`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InstalledLocations {
    /// The locations of this page.
    #[serde(default, deserialize_with = "loose::list")]
    pub locations: Vec<InstalledLocation>,
    /// How many there are under the company.
    #[serde(default, deserialize_with = "loose::opt_u64")]
    pub count: Option<u64>,
    /// Whether locations that the company will have later get the app by themselves.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub install_to_future_locations: Option<bool>,
}

/// A location and whether it has the app (`InstalledLocationSchema`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InstalledLocation {
    /// The location.
    #[serde(rename = "_id")]
    pub id: LocationId,
    /// Its name.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub name: Option<String>,
    /// Its address, in one line.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub address: Option<String>,
    /// Whether it has the app; `None` if HighLevel did not say.
    #[serde(default, deserialize_with = "loose::opt_bool")]
    pub is_installed: Option<bool>,
    /// The version of the app there.
    #[serde(default, deserialize_with = "loose::opt_string")]
    pub version_id: Option<String>,
    /// Since when.
    #[serde(default, deserialize_with = "loose::opt_time")]
    pub installed_at: Option<Timestamp>,
}

/// All pages, one exchange a page; from [`OAuth::all_installed_locations`](super::OAuth::all_installed_locations).
#[derive(Clone, Debug)]
pub struct InstalledPages<'a> {
    client: &'a Client,
    company: CompanyId,
    app: AppId,
    skip: u32,
    last_first: Option<LocationId>,
    done: bool,
}

impl<'a> InstalledPages<'a> {
    pub(super) fn new(client: &'a Client, company: &CompanyId, app: &AppId) -> Self {
        Self { client, company: company.clone(), app: app.clone(), skip: 0, last_first: None, done: false }
    }

    /// The next page; `None` when there are no more. After an error the same page can be asked for again.
    pub async fn next(&mut self) -> Option<Result<InstalledLocations>> {
        if self.done {
            return None;
        }
        let answer = match page(self.client, &self.company, &self.app, Some(self.skip), None).await {
            Ok(answer) => answer,
            Err(failure) => return Some(Err(failure)),
        };
        let first = answer.value.locations.first().map(|location| location.id.clone());
        if first.is_some() && first == self.last_first {
            // It would go round for ever.
            self.done = true;
            let status = answer.exchange.status.unwrap_or_default();
            let misfit = Misfit::new("locations[0]", "the next page is this page");
            return Some(Err(Failure::new(misfit.into_error(status), answer.exchange)));
        }
        self.skip = self.skip.saturating_add(u32::try_from(answer.value.locations.len()).unwrap_or(u32::MAX));
        self.done = first.is_none() || answer.value.count.is_some_and(|count| u64::from(self.skip) >= count);
        self.last_first = first;
        Some(Ok(answer))
    }
}

pub(super) async fn page(
    client: &Client,
    company: &CompanyId,
    app: &AppId,
    skip: Option<u32>,
    limit: Option<u32>,
) -> Result<InstalledLocations> {
    let call = Call::get(&["oauth", "installedLocations"])
        .query("companyId", company)
        .query("appId", app)
        .opt_query("skip", skip)
        .opt_query("limit", limit);
    client.send(call, decode::value).await
}
