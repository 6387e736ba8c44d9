//! A simulated location in which there is one of everything, and the ids that inputs can name.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use catalogue::{Operation, Part, Request, RequestBody};
use ghl::{Method, RawBody, RawCall, RawPart};
use sandbox::{Options, Sandbox};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

pub(super) struct Place {
    pub(super) sandbox: Sandbox,
    pub(super) client: ghl::Client,
    announced: Value,
    /// What inputs of these names are.
    ids: Map<String, Value>,
    /// What the input `id` is, by the beginnings of operations' names.
    own: Vec<(&'static str, Value)>,
}

impl Place {
    pub(super) async fn start() -> Self {
        let options =
            Options { strict_rate: false, search_lag: std::time::Duration::ZERO, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let announced = sandbox.announcement()["ghl"].clone();
        let client = ghl::Client::builder()
            .base_url(announced["url"].as_str().unwrap())
            .token(SecretString::from(announced["token"].as_str().unwrap()))
            .build()
            .unwrap();
        Self { sandbox, client, announced, ids: Map::new(), own: Vec::new() }
    }

    /// Everything as at the start, and one of everything made.
    pub(super) async fn refill(&mut self) {
        let ghl = self.sandbox.ghl();
        ghl.reset();
        ghl.settings(json!({ "allow_duplicate_opportunities": true })).unwrap();
        let act = async |action: Value, what: &str| {
            let made = ghl.act(action).await.unwrap();
            made[what].clone()
        };
        let person =
            json!({ "name": "Ada", "email": "ada@example.com", "phone": "+12025550143", "tags": ["vip"] });
        let contact = act(json!({ "action": "contact.create", "contact": person }), "contact").await;
        let contact = &contact["id"];
        let task = json!({ "action": "task.create", "contact_id": contact, "title": "Call" });
        let task = act(task, "task").await;
        let note = json!({ "action": "note.create", "contact_id": contact, "body": "first" });
        let note = act(note, "note").await;
        let business = act(json!({ "action": "business.create", "name": "Dentist" }), "business").await;
        let field = act(json!({ "action": "custom_field.create", "name": "Size" }), "customField").await;
        let opportunity = json!({ "action": "opportunity.create", "opportunity": { "contactId": contact } });
        let opportunity = act(opportunity, "opportunity").await;
        let appointment = json!({
            "action": "appointment.create", "contact_id": contact, "title": "Fitting",
            "startTime": "2026-11-25T12:00:00Z", "endTime": "2026-11-25T13:00:00Z",
        });
        let appointment = act(appointment, "appointment").await;
        let message = json!({ "action": "message.receive", "contact_id": contact, "message": "Hi" });
        let message = act(message, "message").await;
        let location = &self.announced["location_id"];
        let path = format!("/locations/{}/customValues", location.as_str().unwrap());
        let value = RawBody::Json(json!({ "name": "Shop", "value": "x" }));
        let value = RawCall { body: value, ..RawCall::new(Method::POST, path) };
        let value = self.client.call(value).await.unwrap().value["customValue"].clone();
        let state = ghl.state();
        let pipeline = &state["pipelines"][0];
        let ids = json!({
            "locationId": location, "location_id": location, "altId": location,
            "companyId": self.announced["company_id"], "contactId": contact, "taskId": task["id"],
            "businessId": business["id"], "tagId": state["tags"][0]["id"], "pipelineId": pipeline["id"],
            "pipelineStageId": pipeline["stages"][0]["id"], "calendarId": state["calendars"][0]["id"],
            "eventId": appointment["id"], "conversationId": message["conversationId"], "messageId": message["id"],
            "userId": state["users"][0]["id"], "contacts": [contact], "ids": [contact],
            // Texts of a form that the documents tell in words only.
            "email": "new@example.com", "phone": "+12025550199", "country": "US", "dueDate": "2026-11-24T12:00:00Z",
            "startTime": "2026-11-24T12:00:00Z", "endTime": "2026-11-24T13:00:00Z",
            "eventStartTime": "2026-11-24T12:00:00Z",
        });
        self.ids.clone_from(ids.as_object().unwrap());
        self.own = vec![
            ("ghl.note.", note["id"].clone()),
            ("ghl.custom_field.", field["id"].clone()),
            ("ghl.custom_value.", value["id"].clone()),
            ("ghl.opportunity.", opportunity["id"].clone()),
            ("ghl.message.", message["id"].clone()),
        ];
    }

    /// The example's inputs with what is there in them.
    pub(super) fn inputs(&self, operation: &Operation, only_required: bool) -> Value {
        let mut inputs = operation.example(only_required);
        self.put_ids(operation, &mut inputs);
        for (name, value) in self.said_in_words(operation, only_required) {
            inputs[name] = value;
        }
        inputs
    }

    fn put_ids(&self, operation: &Operation, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let own = self.own.iter().find(|(begin, _)| operation.name.starts_with(begin));
                    let known = match own {
                        Some((_, id)) if name == "id" => Some(id),
                        _ => self.ids.get(name),
                    };
                    match known {
                        Some(id) if id.is_array() == value.is_array() && !value.is_object() => {
                            *value = id.clone();
                        }
                        _ => self.put_ids(operation, value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.put_ids(operation, item)),
            _ => {}
        }
    }

    /// What the documents say in words and not in their schemas.
    fn said_in_words(&self, operation: &Operation, only_required: bool) -> Vec<(&'static str, Value)> {
        let location = &self.announced["location_id"];
        let birthday = ("dateOfBirth", json!("1990-09-25"));
        let numbers = || vec![("skip", json!("0")), ("limit", json!("1"))];
        match operation.name.as_str() {
            "ghl.contact.bulk_tags" => vec![("type", json!("remove"))],
            "ghl.contact.search" => vec![("body", json!({ "locationId": location, "pageLimit": 10 }))],
            "ghl.contact.find_duplicate" | "ghl.contact.upsert" if only_required => {
                vec![("email", json!("new@example.com"))]
            }
            "ghl.contact.create" | "ghl.contact.update" | "ghl.contact.upsert" if !only_required => {
                vec![birthday]
            }
            "ghl.business.list"
            | "ghl.contact.list_of_business"
            | "ghl.oauth.installed_locations"
            | "ghl.user.search"
                if !only_required =>
            {
                numbers()
            }
            "ghl.calendar_event.list" => {
                vec![
                    ("calendarId", self.ids["calendarId"].clone()),
                    ("startTime", json!("0")),
                    ("endTime", json!("1")),
                ]
            }
            "ghl.custom_field.create" => vec![("dataType", json!("TEXT"))],
            _ => Vec::new(),
        }
    }

    /// The client whose token an operation takes; the token endpoint's inputs come with it.
    pub(super) async fn client_for(&self, operation: &Operation, inputs: &mut Value) -> ghl::Client {
        let is_token = operation.name == "ghl.oauth.token";
        if !operation.agency && !is_token {
            return self.client.clone();
        }
        let consent = json!({ "action": "oauth.authorize", "user_type": "Company" });
        let code = self.sandbox.ghl().act(consent).await.unwrap()["code"].clone();
        let form = json!({
            "client_id": self.announced["client_id"], "client_secret": self.announced["client_secret"],
            "grant_type": "authorization_code", "code": code, "user_type": "Company",
        });
        if is_token {
            for (name, value) in form.as_object().unwrap() {
                inputs[name] = value.clone();
            }
            inputs.as_object_mut().unwrap().remove("redirect_uri");
            return self.client.clone();
        }
        let fields = form.as_object().unwrap().iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let call = RawCall { body: RawBody::Form(fields), ..RawCall::new(Method::POST, "/oauth/token") };
        let tokens = self.client.call(call).await.unwrap().value;
        self.client.with_token(SecretString::from(tokens["access_token"].as_str().unwrap()))
    }
}

/// Sends a request as the bridge's client does.
pub(super) async fn send(client: &ghl::Client, request: Request) -> Result<Value, ghl::Failure> {
    let body = match request.body {
        None => RawBody::None,
        Some(RequestBody::Json(body)) => RawBody::Json(body),
        Some(RequestBody::Form(fields)) => RawBody::Form(fields),
        Some(RequestBody::Files(parts)) => {
            RawBody::Files(parts.into_iter().map(|(name, part)| (name, raw_part(part))).collect())
        }
    };
    let call = RawCall {
        query: request.query,
        body,
        version: request.version,
        ..RawCall::new(request.method.as_str().parse().unwrap(), request.path)
    };
    Ok(client.call(call).await?.value)
}

fn raw_part(part: Part) -> RawPart {
    match part {
        Part::Text(text) => RawPart::Text(text),
        Part::File(base64) => {
            RawPart::File { name: "file.png".to_owned(), bytes: STANDARD.decode(base64).unwrap() }
        }
    }
}
