//! The store's customers and orders in the common form.

use cscart::{Address, Order, User, UserStatus};
use jiff::{SignedDuration, Timestamp};

use super::{Mapped, Problem};
use crate::connection::Settings;
use crate::sync::normalise::{self, line};
use crate::sync::{Field, typed};

/// How much of a value that is not sent is kept, in bytes.
const MAX_KEPT: usize = 400;

/// A customer. What the store does not say stays unknown: its REST API gives no addresses, and that must not empty them.
pub fn from_user(user: &User, settings: &Settings) -> Mapped {
    let mut reader = Reader::new(settings);
    let places = [&user.billing, &user.shipping];
    reader.person(
        [&user.firstname, &user.lastname, &user.email, &user.phone].map(|text| text.as_deref()),
        places,
    );
    reader.text(Field::Company, user.company.as_deref());
    if let Some(birthday) = user.birthday {
        reader.mapped.contact.set(Field::DateOfBirth, day(birthday));
    }
    reader.custom(&settings.custom_fields.customer_id, user.user_id.map(|id| id.to_string()));
    reader.custom(&settings.custom_fields.status, user.status.as_ref().map(status_word));
    reader.mapped
}

/// Whoever placed an order: the customer as the order has him.
pub fn from_order(order: &Order, settings: &Settings) -> Mapped {
    let mut reader = Reader::new(settings);
    let places = [&order.billing, &order.shipping];
    reader.person(
        [&order.firstname, &order.lastname, &order.email, &order.phone].map(|text| text.as_deref()),
        places,
    );
    reader.text(Field::Company, order.company.as_deref());
    reader.custom(&settings.custom_fields.customer_id, order.user_id.map(|id| id.to_string()));
    reader.mapped
}

struct Reader<'a> {
    settings: &'a Settings,
    mapped: Mapped,
}

impl<'a> Reader<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self { settings, mapped: Mapped::default() }
    }

    fn person(&mut self, [first, last, email, phone]: [Option<&str>; 4], places: [&Address; 2]) {
        self.text(Field::FirstName, said(first, places.map(|place| place.firstname.as_deref())));
        self.text(Field::LastName, said(last, places.map(|place| place.lastname.as_deref())));
        let place = address(places);
        let country =
            place.country.as_deref().map(|raw| self.checked(Field::Country, raw, normalise::country));
        let country = country.flatten().filter(|country| !country.is_empty());
        let country =
            country.or_else(|| self.settings.default_country.as_ref().map(|code| code.to_uppercase()));
        if let Some(raw) = email {
            self.checked(Field::Email, raw, normalise::email);
        }
        if let Some(raw) = said(phone, places.map(|place| place.phone.as_deref())) {
            self.checked(Field::Phone, raw, |raw| normalise::phone(raw, country.as_deref()));
        }
        if let Some(first_line) = place.address.as_deref() {
            let lines = [first_line, place.address_2.as_deref().unwrap_or_default()].map(line);
            let lines: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
            self.limited(Field::Address, &lines.join(", "));
        }
        self.text(Field::City, place.city.as_deref());
        self.text(Field::State, place.state.as_deref());
        self.text(Field::PostalCode, place.zipcode.as_deref());
    }

    fn text(&mut self, field: Field, raw: Option<&str>) {
        if let Some(raw) = raw {
            self.limited(field, &line(raw));
        }
    }

    /// Sets a field to as much of a text as it may hold.
    fn limited(&mut self, field: Field, text: &str) {
        let (kept, cut) = typed::limited(text);
        if let Some(why) = cut {
            self.mapped.problems.push(Problem { field: field.clone(), value: kept.clone(), why });
        }
        self.mapped.contact.set(field, kept);
    }

    /// Sets a custom field, unless the settings name none for it.
    fn custom(&mut self, key: &str, value: Option<String>) {
        if let Some(value) = value.filter(|_| !key.is_empty()) {
            self.mapped.contact.set(Field::Custom(key.to_owned()), value);
        }
    }

    /// Sets a field to its normal form, or keeps the value aside.
    fn checked(
        &mut self,
        field: Field,
        raw: &str,
        normalise: impl FnOnce(&str) -> Result<String, String>,
    ) -> Option<String> {
        match normalise(raw) {
            Ok(value) => {
                self.mapped.contact.set(field, value.clone());
                Some(value)
            }
            Err(why) => {
                self.mapped.problems.push(Problem {
                    field,
                    value: normalise::first_bytes(&line(raw), MAX_KEPT).to_owned(),
                    why,
                });
                None
            }
        }
    }
}

/// What was said of the customer himself, or where that is empty what his addresses say: CS-Cart does the same with names
/// (`fn_update_user` takes them from `b_*` and `s_*`).
fn said<'a>(own: Option<&'a str>, others: [Option<&'a str>; 2]) -> Option<&'a str> {
    let filled = [own, others[0], others[1]].into_iter().flatten().find(|text| !text.trim().is_empty());
    filled.or(own)
}

/// The address for bills; the one for parcels where that is empty.
fn address([billing, shipping]: [&Address; 2]) -> &Address {
    let has_place = |address: &Address| {
        let parts = [&address.address, &address.city, &address.zipcode, &address.country, &address.state];
        parts.into_iter().flatten().any(|part| !part.trim().is_empty())
    };
    if !has_place(billing) && has_place(shipping) { shipping } else { billing }
}

/// CS-Cart keeps a birthday as the midnight of the store's time zone, which it does not tell. Noon of that day lies on the
/// same day in UTC, whatever the zone.
fn day(birthday: Timestamp) -> String {
    let noon = birthday.saturating_add(SignedDuration::from_hours(12)).unwrap_or(birthday);
    noon.strftime("%Y-%m-%d").to_string()
}

fn status_word(status: &UserStatus) -> String {
    match status {
        UserStatus::Active => "active".to_owned(),
        UserStatus::Disabled => "disabled".to_owned(),
        UserStatus::Pending => "pending".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

/// For tests of other modules too: a customer as a webhook carries him.
#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sync::Canonical;

    fn mapped(user: Value) -> Mapped {
        from_user(&serde_json::from_value(user).unwrap(), &Settings::default())
    }

    #[test]
    fn a_whole_customer_is_read() {
        let mapped = mapped(json!({
            "user_id": "42", "status": "A", "email": " Ada@Example.com ", "firstname": "Ada &amp; Co", "lastname": "Lovelace",
            "phone": "", "company": "Analytical Engines", "birthday": "-4867180800", "b_phone": "(202) 555-0143",
            "b_address": "12 St James's Sq", "b_address_2": "Flat 3", "b_city": "Washington", "b_state": "DC",
            "b_country": "US", "b_zipcode": 20500, "s_city": "Elsewhere",
        }));
        assert_eq!(mapped.problems, []);
        let shown: Vec<(String, &str)> =
            mapped.contact.iter().map(|(field, value)| (field.to_string(), value)).collect();
        let expected = [
            ("first_name", "Ada & Co"),
            ("last_name", "Lovelace"),
            ("email", "ada@example.com"),
            ("phone", "+12025550143"),
            ("company", "Analytical Engines"),
            ("address", "12 St James's Sq, Flat 3"),
            ("city", "Washington"),
            ("state", "DC"),
            ("postal_code", "20500"),
            ("country", "US"),
            ("date_of_birth", "1815-10-08"),
            ("custom:cscart_customer_id", "42"),
            ("custom:cscart_status", "active"),
        ];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn what_the_short_form_does_not_say_stays_unknown() {
        let mapped =
            mapped(json!({ "user_id": "42", "email": "ada@example.com", "firstname": "Ada", "phone": "" }));
        assert_eq!(mapped.contact.get(&Field::City), None);
        assert_eq!(mapped.contact.get(&Field::Phone), Some(""), "empty is known to be empty");
    }

    #[test]
    fn the_address_for_parcels_stands_in_for_an_empty_one() {
        let mapped = mapped(
            json!({ "b_city": "", "b_country": "", "s_city": "Paris", "s_country": "FR", "s_phone": "01 42 68 53 00" }),
        );
        assert_eq!(mapped.contact.get(&Field::City), Some("Paris"));
        assert_eq!(mapped.contact.get(&Field::Phone), Some("+33142685300"));
    }

    #[test]
    fn a_wrong_phone_is_kept_aside_with_a_reason_and_the_rest_goes_on() {
        let mapped = mapped(json!({ "email": "ada@example.com", "phone": "ask me", "b_country": "US" }));
        assert_eq!(mapped.contact.get(&Field::Phone), None);
        assert_eq!(mapped.problems[0].to_string(), "phone `ask me`: it is no phone number of US");
        assert_eq!(mapped.contact.get(&Field::Email), Some("ada@example.com"));
    }

    #[test]
    fn a_field_of_ten_megabytes_is_cut_with_a_word() {
        let mapped = mapped(json!({ "email": "ada@example.com", "company": "x".repeat(10_000_000) }));
        assert_eq!(mapped.contact.get(&Field::Company).map(str::len), Some(5000));
        let said = mapped.problems[0].to_string();
        assert!(
            said.starts_with("company `xxx") && said.ends_with("it has 10000000") && said.len() < 200,
            "{said}"
        );
    }

    #[test]
    fn a_birthday_is_the_same_day_in_any_time_zone() {
        for (seconds, date) in
            [(653_958_000, "1990-09-22"), (653_961_600, "1990-09-22"), (653_997_600, "1990-09-22")]
        {
            // Midnight of 22 September 1990 at UTC+1, in UTC, and at UTC-10.
            assert_eq!(day(Timestamp::from_second(seconds).unwrap()), date);
        }
    }

    #[test]
    fn an_order_brings_its_customer() {
        let order = json!({ "order_id": "7", "user_id": "0", "email": "guest@example.com", "firstname": "Gus", "b_country": "DE", "phone": "030 901820" });
        let mapped = from_order(&serde_json::from_value(order).unwrap(), &Settings::default());
        assert_eq!(mapped.contact.get(&Field::Phone), Some("+4930901820"));
        assert_eq!(
            mapped.contact.get(&Field::Custom("cscart_customer_id".into())),
            None,
            "a guest has no id"
        );
    }

    #[test]
    fn nothing_read_is_nothing_known() {
        assert_eq!(mapped(json!({})).contact, Canonical::default());
    }
}
