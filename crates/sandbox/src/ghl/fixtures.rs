//! What the location has from the start. Names and shapes follow the examples of locations.json and users.json.

use serde_json::{Map, Value, json};

use crate::ids::Ids;

/// The location's country: how numbers without a country code are read.
pub(crate) const COUNTRY: &str = "US";

/// `GetLocationByIdSchema` without what the state adds.
pub(crate) fn location(id: &str, company_id: &str, name: &str) -> Map<String, Value> {
    let location = json!({
        "id": id,
        "companyId": company_id,
        "name": name,
        "domain": "",
        "address": "3535 1st St N",
        "city": "Dolomite",
        "state": "AL",
        "logoUrl": "",
        "country": COUNTRY,
        "postalCode": "35061",
        "website": "https://shop.example.com",
        "timezone": "America/Chicago",
        "firstName": "Rosan",
        "lastName": "Deo",
        "email": "owner@shop.example.com",
        "phone": "+12055550100",
        "business": {
            "name": name,
            "address": "3535 1st St N",
            "city": "Dolomite",
            "state": "AL",
            "country": COUNTRY,
            "postalCode": "35061",
            "website": "https://shop.example.com",
            "timezone": "America/Chicago",
            "logoUrl": "",
        },
        "social": {},
        "settings": {
            "allowDuplicateContact": false,
            "allowDuplicateOpportunity": false,
            "allowFacebookNameMerge": false,
            "disableContactTimezone": false,
        },
        "reseller": {},
    });
    match location {
        Value::Object(location) => location,
        _ => Map::new(),
    }
}

/// Two people who work in the location (`UserSchema`).
pub(crate) fn users(ids: &mut Ids, location_id: &str) -> Vec<Value> {
    [("Rosan", "Deo", "admin"), ("Anna", "Koch", "user")]
        .into_iter()
        .map(|(first, last, role)| {
            json!({
                "id": ids.id(),
                "name": format!("{first} {last}"),
                "firstName": first,
                "lastName": last,
                "email": format!("{}@shop.example.com", first.to_lowercase()),
                "phone": "+12055550100",
                "extension": "",
                "permissions": { "contactsEnabled": true, "assignedDataOnly": false },
                "roles": {
                    "type": "account",
                    "role": role,
                    "locationIds": [location_id],
                    "restrictSubAccount": false,
                },
                "deleted": false,
            })
        })
        .collect()
}
