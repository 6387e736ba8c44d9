//! Groups of users: `/api/usergroups` (the documentation, `developer_guide/api/entities/usergroups.rst`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Page, Pages, Result, UserType, UsergroupId, UsergroupStatus, client::Call, loose, page};

/// Calls about groups of users; from [`Client::usergroups`]. Who is in which group is the users' affair:
/// [`Users::usergroups`](crate::Users::usergroups).
#[derive(Clone, Copy, Debug)]
pub struct Usergroups<'a> {
    pub(crate) client: &'a Client,
}

const KEY: &str = "usergroups";

impl<'a> Usergroups<'a> {
    /// One page of the groups, without CS-Cart's own two (guests and registered users).
    pub async fn list(&self, query: &UsergroupQuery) -> Result<Page<Usergroup>> {
        page::get(self.client, KEY, query.call().opt_query("page", query.page)).await
    }

    /// All pages of [`Usergroups::list`], one at a time.
    pub fn list_all(&self, query: &UsergroupQuery) -> Pages<'a, Usergroup> {
        Pages::new(self.client, KEY, query.call(), query.page)
    }
}

/// Which groups to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsergroupQuery {
    /// Only groups of customers, or of administrators.
    pub kind: Option<UserType>,
    /// Only those that are active, hidden or disabled ([`UsergroupStatus::Declined`]).
    pub status: Option<UsergroupStatus>,
    /// Which page, from 1.
    pub page: Option<u64>,
    /// How many in a page; the store's own setting unless given.
    pub items_per_page: Option<u64>,
}

impl UsergroupQuery {
    fn call(&self) -> Call {
        Call::get("/usergroups")
            .opt_query("type", self.kind.as_ref())
            .opt_query("status", self.status.as_ref())
            .opt_query("items_per_page", self.items_per_page)
    }
}

/// A group of users, by itself or as what a user has to do with it. It reads the REST API's
/// `usergroup_id` and `usergroup` as well as `id` and `name`, and serialises to the latter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usergroup {
    /// Its id.
    #[serde(alias = "usergroup_id")]
    pub id: UsergroupId,
    /// Its name; the REST API does not say it in a user's groups.
    #[serde(
        default,
        alias = "usergroup",
        deserialize_with = "loose::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// The group's own state; in a user's groups how the user stands to it.
    #[serde(default, deserialize_with = "loose::opt_letter", skip_serializing_if = "Option::is_none")]
    pub status: Option<UsergroupStatus>,
    /// For whom the group is.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "loose::opt_letter",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<UserType>,
    /// Whatever else came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
