//! Everything that the simulated store holds. Rows are kept as CS-Cart gives them: numbers as strings.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::{Setup, endpoint::Done, fixtures, sign::Sign, world::World};
use crate::ids::Ids;

/// The salt that keeps the store's ids apart from GHL's.
const SALT: u64 = 0x6373_6361;

/// One row of a table.
pub(super) type Row = Map<String, Value>;

/// The store and all that belongs to it.
pub(super) struct State {
    pub(super) ids: Ids,
    pub(super) admin_email: String,
    pub(super) api_key: String,
    pub(super) users: BTreeMap<u64, Row>,
    by_email: HashMap<String, u64>,
    pub(super) orders: BTreeMap<u64, Row>,
    pub(super) usergroups: BTreeMap<u64, Row>,
    /// `usergroup_id` → `link_id`, `status`, for each user.
    pub(super) links: HashMap<u64, BTreeMap<u64, (u64, String)>>,
    pub(super) statuses: Vec<Row>,
    pub(super) tags: BTreeMap<u64, Vec<String>>,
    pub(super) notes: BTreeMap<u64, Row>,
    last_id: HashMap<&'static str, u64>,
    pub(super) events: Vec<Event>,
    pub(super) world: World,
    url: String,
    /// The tables that are only read, by the name of the entity, each by id.
    pub(super) tables: HashMap<&'static str, BTreeMap<u64, Row>>,
    /// The signed calls that were carried out, by their ids.
    pub(super) calls: HashMap<String, Done>,
    /// Who changed and when, by the number of the change; of each customer only the last one.
    pub(super) changes: BTreeMap<u64, (u64, i64)>,
}

/// Something that the add-on reports.
pub(super) struct Event {
    pub(super) kind: String,
    /// Events of one subject are sent in their order.
    pub(super) subject: String,
    pub(super) data: Value,
    pub(super) sign: Sign,
    pub(super) id: Option<String>,
}

impl Event {
    pub(super) fn new(kind: &str, subject: impl Into<String>, data: Value) -> Self {
        Self { kind: kind.to_owned(), subject: subject.into(), data, sign: Sign::Ok, id: None }
    }

    pub(super) fn signed(mut self, sign: Sign) -> Self {
        self.sign = sign;
        self
    }

    pub(super) fn with_id(mut self, id: Option<&str>) -> Self {
        self.id = id.map(str::to_owned);
        self
    }
}

impl State {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut ids = Ids::new(setup.seed, SALT);
        let api_key = ids.alphanumeric(32);
        let mut state = Self {
            api_key,
            admin_email: String::from(fixtures::ADMIN_EMAIL),
            users: BTreeMap::new(),
            by_email: HashMap::new(),
            orders: BTreeMap::new(),
            usergroups: fixtures::usergroups(),
            links: HashMap::new(),
            statuses: fixtures::statuses(),
            tags: BTreeMap::new(),
            notes: BTreeMap::new(),
            last_id: HashMap::from([("usergroup", 4)]),
            events: Vec::new(),
            world: setup.world.clone(),
            url: setup.url.clone(),
            tables: fixtures::tables(setup.world.edition),
            calls: HashMap::new(),
            changes: BTreeMap::new(),
            ids,
        };
        let at = state.world.now();
        state.put_user(1, fixtures::administrator(&at));
        state.last_id.insert("user", 1);
        state
    }

    /// The next number of a table.
    pub(super) fn next(&mut self, table: &'static str) -> u64 {
        let last = self.last_id.entry(table).or_default();
        *last += 1;
        *last
    }

    /// Stores a user, new or changed.
    pub(super) fn put_user(&mut self, id: u64, user: Row) {
        if let Some(old) = self.users.insert(id, user) {
            self.by_email.remove(&self.email_key(&old));
        }
        if let Some(key) = self.users.get(&id).map(|user| self.email_key(user)).filter(|key| !key.is_empty())
        {
            self.by_email.insert(key, id);
        }
    }

    pub(super) fn remove_user(&mut self, id: u64) -> Option<Row> {
        let user = self.users.remove(&id)?;
        self.by_email.remove(&self.email_key(&user));
        self.links.remove(&id);
        self.tags.remove(&id);
        Some(user)
    }

    /// Who has this row's address; addresses are compared without case, as `MySQL` does. Where storefronts do not share their
    /// users, each has its own.
    pub(super) fn user_with_email_of(&self, row: &Row) -> Option<u64> {
        self.by_email.get(&self.email_key(row)).copied()
    }

    fn email_key(&self, user: &Row) -> String {
        let email = text(user, "email").trim().to_lowercase();
        if self.world.shared_users || email.is_empty() {
            email
        } else {
            format!("{}/{email}", text(user, "company_id"))
        }
    }

    /// What the add-on says of the store.
    pub(super) fn describe(&self) -> Value {
        json!({
            "url": self.url, "company_id": 1, "storefront_id": 1,
            "version": self.world.full_version(), "edition": self.world.full_edition(), "addon": "1.0.0",
        })
    }

    /// Notes that a customer was made, changed or deleted, for the add-on's list of changes.
    pub(super) fn mark_changed(&mut self, id: u64) {
        if self.world.addon {
            let number = self.next("change");
            self.changes.retain(|_, (user, _)| *user != id);
            self.changes.insert(number, (id, self.world.now_ms()));
        }
    }

    /// The whole user as the add-on's webhooks have it, and what stands beside it.
    pub(super) fn customer_data(&self, id: u64) -> Value {
        let Some(user) = self.users.get(&id) else { return json!({}) };
        let groups: Vec<Value> = self
            .links
            .get(&id)
            .into_iter()
            .flatten()
            .filter(|(_, (_, status))| status != "F")
            .filter_map(|(group_id, (_, status))| {
                let name = self.usergroups.get(group_id)?.get("usergroup")?.clone();
                Some(json!({ "id": group_id.to_string(), "name": name, "status": status }))
            })
            .collect();
        let tags = self.tags.get(&id).cloned().unwrap_or_default();
        customer(user.clone(), json!(groups), json!(tags), false)
    }

    /// Reports something about a registered customer. Administrators and vendors are nobody's contacts.
    pub(super) fn report(&mut self, kind: &str, id: u64) {
        let is_customer = self.users.get(&id).is_some_and(|user| user.get("user_type") == Some(&json!("C")));
        if is_customer {
            if kind != "customer.viewed" {
                self.mark_changed(id);
            }
            let data = self.customer_data(id);
            self.events.push(Event::new(kind, format!("customer:{id}"), data));
        }
    }

    pub(super) fn whole(&self) -> Value {
        json!({
            "users": self.users.values().collect::<Vec<_>>(),
            "orders": self.orders.values().collect::<Vec<_>>(),
            "notes": self.notes.values().collect::<Vec<_>>(),
            "tags": self.tags.iter().map(|(id, tags)| (id.to_string(), json!(tags))).collect::<Row>(),
            "usergroups": self.usergroups.values().collect::<Vec<_>>(),
        })
    }
}

/// `data` of a customer's webhook. The groups, tags and `guest` stand both in the user and beside him: contracts,
/// section 2 can be read either way.
pub(super) fn customer(mut user: Row, usergroups: Value, tags: Value, guest: bool) -> Value {
    for (name, value) in [("usergroups", &usergroups), ("tags", &tags), ("guest", &json!(guest))] {
        user.insert(name.to_owned(), value.clone());
    }
    json!({ "user": user, "usergroups": usergroups, "tags": tags, "guest": guest })
}

/// A field as text; a number counts as its digits, whatever is missing as empty.
pub(super) fn text(row: &Row, name: &str) -> String {
    loose(row.get(name).unwrap_or(&Value::Null))
}

/// How PHP would write a value into a column.
pub(super) fn loose(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(true) => String::from("1"),
        _ => String::new(),
    }
}
