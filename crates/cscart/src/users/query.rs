//! Which users to list.

use crate::{SortOrder, UserId, UserStatus, UserType, UsergroupId, client::Call};

/// What to list: `GET /api/users` (`fn_get_users` in CS-Cart 4.20.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserQuery {
    /// What the users are. Always sent: CS-Cart refuses to list without it, since some version after 4.15.2.
    pub user_type: UserType,
    /// Only those that may sign in, or that may not.
    pub status: Option<UserStatus>,
    /// Only those whose e-mail address **contains** this: compare the answers.
    pub email: Option<String>,
    /// Only those whose name contains this.
    pub name: Option<String>,
    /// Only those whose company contains this.
    pub company: Option<String>,
    /// Only those with these digits in one of their phone numbers.
    pub phone: Option<String>,
    /// Only those in this group; 0 for those in none.
    pub usergroup: Option<UsergroupId>,
    /// Only these.
    pub user_ids: Vec<UserId>,
    /// What the list is sorted by.
    pub sort_by: UserSort,
    /// Which way.
    pub sort_order: SortOrder,
    /// Which page, from 1; in a list of all pages the first one.
    pub page: Option<u64>,
    /// How many in a page; the store's own setting unless given.
    pub items_per_page: Option<u64>,
    /// Any other filter, by CS-Cart's own name.
    pub filters: Vec<(String, String)>,
}

impl UserQuery {
    /// All users of a type by their ids, 100 in a page: the order that stays the same while users are
    /// added.
    pub fn new(user_type: UserType) -> Self {
        Self {
            user_type,
            status: None,
            email: None,
            name: None,
            company: None,
            phone: None,
            usergroup: None,
            user_ids: Vec::new(),
            sort_by: UserSort::Id,
            sort_order: SortOrder::Ascending,
            page: None,
            items_per_page: Some(100),
            filters: Vec::new(),
        }
    }

    /// The call without the page.
    pub(super) fn call(&self) -> Call {
        let mut call = Call::get("/users")
            .query("user_type", &self.user_type)
            .opt_query("status", self.status.as_ref())
            .opt_query("email", self.email.as_ref())
            .opt_query("name", self.name.as_ref())
            .opt_query("company", self.company.as_ref())
            .opt_query("phone", self.phone.as_ref())
            .opt_query("usergroup_id", self.usergroup)
            .query_list("user_ids", &self.user_ids)
            .query("sort_by", self.sort_by.as_str())
            .query("sort_order", self.sort_order.as_str())
            .opt_query("items_per_page", self.items_per_page);
        for (name, value) in &self.filters {
            call = call.query(name, value);
        }
        call
    }
}

impl Default for UserQuery {
    /// All customers.
    fn default() -> Self {
        Self::new(UserType::Customer)
    }
}

/// What a list of users is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserSort {
    /// The id.
    #[default]
    Id,
    /// The e-mail address.
    Email,
    /// The name.
    Name,
    /// When the user registered.
    Registered,
    /// When the user was last signed in.
    LastLogin,
    /// The company.
    Company,
}

impl UserSort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Name => "name",
            Self::Registered => "date",
            Self::LastLogin => "last_login",
            Self::Company => "company",
        }
    }
}
