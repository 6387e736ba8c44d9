//! What the store has from the start, and the columns of its tables
//! (CS-Cart 4.20, `install/database/scheme.sql` and `data.sql`).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{state::Row, world::CscartEdition};

/// The administrator whose API key opens the REST API.
pub(super) const ADMIN_EMAIL: &str = "admin@shop.example.com";

/// Columns of `users` and of the main profile that a person or an API call may write.
pub(super) const WRITABLE: &[&str] = &[
    "status",
    "user_type",
    "user_login",
    "company_id",
    "timestamp",
    "firstname",
    "lastname",
    "email",
    "phone",
    "fax",
    "url",
    "company",
    "tax_exempt",
    "lang_code",
    "birthday",
    "responsible_email",
    "referer",
    "profile_name",
    "b_firstname",
    "b_lastname",
    "b_address",
    "b_address_2",
    "b_city",
    "b_county",
    "b_state",
    "b_country",
    "b_zipcode",
    "b_phone",
    "s_firstname",
    "s_lastname",
    "s_address",
    "s_address_2",
    "s_city",
    "s_county",
    "s_state",
    "s_country",
    "s_zipcode",
    "s_phone",
    "s_address_type",
];

/// The columns that GET returns, list and single alike: no addresses, no custom fields, no language.
pub(super) const SHORT: &[&str] = &[
    "user_id",
    "user_login",
    "is_root",
    "timestamp",
    "user_type",
    "status",
    "firstname",
    "lastname",
    "email",
    "company",
    "company_id",
    "phone",
    "last_login",
    "company_name",
];

/// A user with every column at its default.
pub(super) fn blank_user(id: u64, at: &str) -> Row {
    let mut user: Row = WRITABLE.iter().map(|name| ((*name).to_owned(), json!(""))).collect();
    for (name, value) in [
        ("user_id", json!(id.to_string())),
        ("status", json!("A")),
        ("user_type", json!("C")),
        ("is_root", json!("N")),
        ("company_id", json!("1")),
        ("timestamp", json!(at)),
        ("last_login", json!("0")),
        ("tax_exempt", json!("N")),
        ("lang_code", json!("en")),
        ("birthday", json!("0")),
        ("profile_id", json!(id.to_string())),
        ("profile_type", json!("P")),
        ("profile_name", json!("Main")),
        ("company_name", Value::Null),
        ("fields", json!([])),
    ] {
        user.insert(name.to_owned(), value);
    }
    user
}

/// The root administrator.
pub(super) fn administrator(at: &str) -> Row {
    let mut admin = blank_user(1, at);
    for (name, value) in [
        ("user_type", "A"),
        ("is_root", "Y"),
        ("company_id", "0"),
        ("user_login", "admin"),
        ("email", ADMIN_EMAIL),
        ("firstname", "Rosan"),
        ("lastname", "Deo"),
    ] {
        admin.insert(name.to_owned(), json!(value));
    }
    admin
}

/// Two groups of customers. 1 (guest) and 2 (registered) are reserved; real groups start at 3.
pub(super) fn usergroups() -> BTreeMap<u64, Row> {
    [(3, "VIP"), (4, "Wholesale")]
        .into_iter()
        .map(|(id, name)| {
            let group = [
                ("usergroup_id", json!(id.to_string())),
                ("type", json!("C")),
                ("status", json!("A")),
                ("usergroup", json!(name)),
                ("company_id", json!("0")),
            ];
            (id, group.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })
        .collect()
}

/// Order statuses (type O) with the letters of `Tygh\Enum\OrderStatuses`, and `Y` of the documentation.
pub(super) fn statuses() -> Vec<Row> {
    [
        ("P", "Processed"),
        ("C", "Complete"),
        ("O", "Open"),
        ("F", "Failed"),
        ("D", "Declined"),
        ("B", "Backordered"),
        ("I", "Canceled"),
        ("Y", "Awaiting call"),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, (letter, name))| {
        let status = [
            ("status_id", json!((place + 1).to_string())),
            ("status", json!(letter)),
            ("type", json!("O")),
            ("is_default", json!("Y")),
            ("description", json!(name)),
            ("position", json!((place * 10).to_string())),
        ];
        status.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
    .collect()
}

/// The tables that the API only reads, with a small catalogue and the companies of the edition.
pub(super) fn tables(edition: CscartEdition) -> HashMap<&'static str, BTreeMap<u64, Row>> {
    let products = [
        ("Sample product", "S-1", "19.99", "1"),
        ("Mug ☕", "M-1", "4.50", "2"),
        ("Tea", "T-1", "9.00", "2"),
    ];
    let products = products.into_iter().enumerate().map(|(place, (name, code, price, category))| {
        json!({
            "product_id": (place + 1).to_string(), "product": name, "product_code": code, "price": price, "amount": "10",
            "status": "A", "company_id": "1", "category_ids": [category], "main_category": category,
            "timestamp": "1700000000", "updated_timestamp": "1700000000",
        })
    });
    let categories =
        [("Everything", "0"), ("Drinks", "1")].into_iter().enumerate().map(|(place, (name, parent))| {
            json!({
                "category_id": (place + 1).to_string(), "category": name, "parent_id": parent, "status": "A",
                "company_id": "1", "product_count": "2", "timestamp": "1700000000",
            })
        });
    let companies = ["Simtech", "ACME Corp"].into_iter().enumerate().map(|(place, name)| {
        let mut company = json!({
            "company_id": (place + 1).to_string(), "company": name, "lang_code": "en", "status": "A",
            "email": format!("company{}@example.com", place + 1), "timestamp": "1269610461",
        });
        if edition == CscartEdition::Ultimate {
            company["storefront"] = json!("localhost");
            company["secure_storefront"] = json!("localhost");
        }
        company
    });
    let of_edition = match edition {
        CscartEdition::Ultimate => "stores",
        CscartEdition::Multivendor => "vendors",
    };
    HashMap::from([
        ("products", table(products)),
        ("categories", table(categories)),
        (of_edition, table(companies)),
    ])
}

/// Rows by their place, from 1.
fn table(rows: impl Iterator<Item = Value>) -> BTreeMap<u64, Row> {
    let rows = rows.map(|row| row.as_object().cloned().unwrap_or_default());
    (1..).zip(rows).collect()
}
