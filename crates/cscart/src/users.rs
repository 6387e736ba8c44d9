//! Users: `/api/users` (CS-Cart 4.10 to 4.20, `app/Tygh/Api/Entities/Users.php`).

mod model;
mod query;
mod write;

use serde_json::{Value, json};

use crate::{
    Client, Page, Pages, Result, Scan, SortOrder, UserId, Usergroup, UsergroupId, UsergroupStatus,
    client::Call, decode, page,
};

pub use model::User;
pub use query::{UserQuery, UserSort};
pub use write::{NewUser, SavedUser, UserUpdate};

/// Calls about users; from [`Client::users`].
#[derive(Clone, Copy, Debug)]
pub struct Users<'a> {
    pub(crate) client: &'a Client,
}

const KEY: &str = "users";

impl<'a> Users<'a> {
    /// One user, in the short form: no addresses, fields, language or birthday.
    ///
    /// An unknown one is [`Error::NotFound`](crate::Error::NotFound): CS-Cart up to 4.15.2 answers 404, 4.20.1
    /// answers 200 with an empty list; both read alike.
    pub async fn get(&self, user: UserId) -> Result<User> {
        let call = Call::get(format!("/users/{user}"));
        let asked_for = ("user_id", |found: &User| found.user_id == Some(user));
        self.client.send_for_one(call, |value| decode::found(KEY, value, asked_for)).await
    }

    /// One page of users, each in the short form.
    pub async fn list(&self, query: &UserQuery) -> Result<Page<User>> {
        page::get(self.client, KEY, query.call().opt_query("page", query.page)).await
    }

    /// All pages of [`Users::list`], one at a time. CS-Cart cannot list users by when they were changed.
    pub fn list_all(&self, query: &UserQuery) -> Pages<'a, User> {
        Pages::new(self.client, KEY, query.call(), query.page)
    }

    /// All users that a query asks for, by their ids, each once and none missed although users come and go meanwhile. The
    /// query's sorting and page do not count.
    pub fn scan(&self, query: &UserQuery) -> Scan<'a, User> {
        let size = query.items_per_page;
        let query = UserQuery {
            sort_by: UserSort::Id,
            sort_order: SortOrder::Ascending,
            items_per_page: None,
            ..query.clone()
        };
        Scan::new(self.client, KEY, query.call(), size, |user| user.user_id.map(u64::from))
    }

    /// Makes a user. An e-mail address that is taken is [`Error::Invalid`](crate::Error::Invalid).
    pub async fn create(&self, user: &NewUser) -> Result<SavedUser> {
        let call = Call::post("/users").json(user);
        self.client.send(call, decode::value).await
    }

    /// Changes a user; fields that are `None` or empty stay as they are. Nobody is told by e-mail.
    pub async fn update(&self, user: UserId, update: &UserUpdate) -> Result<SavedUser> {
        let call = Call::put(format!("/users/{user}")).json(update);
        self.client.send(call, decode::value).await
    }

    /// Deletes a user. The store refuses to delete its first administrator and the one who asks
    /// ([`Error::Invalid`](crate::Error::Invalid)).
    pub async fn delete(&self, user: UserId) -> Result<()> {
        self.client.send_for_success(Call::delete(format!("/users/{user}"))).await
    }

    /// The groups that a user has to do with, without their names; those that the user could only ask to
    /// join ([`UsergroupStatus::Available`]) are left out. The list is not paged.
    pub async fn usergroups(&self, user: UserId) -> Result<Vec<Usergroup>> {
        let call = Call::get(format!("/users/{user}/usergroups"));
        self.client.send(call, |value| page::read(KEY_OF_GROUPS, value).map(|page| page.items)).await
    }

    /// Puts a user into a group ([`UsergroupStatus::Active`]), takes the user out
    /// ([`UsergroupStatus::Available`]), or anything between. A group that does not exist, or is not for
    /// such users, is [`Error::Invalid`](crate::Error::Invalid). **Groups may change a customer's prices and
    /// what the customer sees.**
    pub async fn set_usergroup(
        &self,
        user: UserId,
        usergroup: UsergroupId,
        status: UsergroupStatus,
    ) -> Result<()> {
        let body: Value = json!({ "status": status });
        let call = Call::put(format!("/users/{user}/usergroups/{usergroup}")).json(&body);
        self.client.send_for_success(call).await
    }
}

const KEY_OF_GROUPS: &str = "usergroups";
