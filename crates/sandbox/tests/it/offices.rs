//! What a location has beside contacts: businesses, custom values, workflows, campaigns, calendars with their
//! appointments, conversations.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Receiver, World};

#[tokio::test]
async fn businesses_are_made_changed_listed_and_deleted_and_contacts_join_them() {
    let world = World::start().await;
    let body = json!({ "name": "Engines", "locationId": world.location(), "city": "London" });
    let (status, made) = world.ghl(Method::POST, "/businesses/", body).await;
    assert_eq!((status, &made["success"]), (201, &json!(true)));
    let id = made["buiseness"]["id"].as_str().unwrap();
    let path = format!("/businesses/{id}");
    let (_, changed) = world.ghl(Method::PUT, &path, json!({ "city": "Paris" })).await;
    assert_eq!(
        (&changed["buiseness"]["city"], &changed["buiseness"]["name"]),
        (&json!("Paris"), &json!("Engines"))
    );
    assert_eq!(world.ghl(Method::PUT, &path, json!({ "locationId": "x" })).await.0, 403);
    assert_eq!(world.ghl(Method::PUT, &path, json!({ "town": "x" })).await.0, 422);
    let contact = world.create(json!({ "email": "a@deos.com" })).await;
    let join = json!({ "locationId": world.location(), "ids": [contact], "businessId": id });
    assert_eq!(world.ghl(Method::POST, "/contacts/bulk/business", join).await.0, 200);
    let (_, read) = world.ghl(Method::GET, &path, Value::Null).await;
    assert_eq!(read["business"]["city"], "Paris");
    let list = format!("/businesses/?locationId={}", world.location());
    let (_, listed) = world.ghl(Method::GET, &list, Value::Null).await;
    assert_eq!(listed["businesses"][0]["id"], json!(id));
    assert_eq!(
        world.ghl(Method::GET, &format!("{list}&limit=0"), Value::Null).await.1,
        json!({ "businesses": [] })
    );
    assert_eq!(world.ghl(Method::DELETE, &path, Value::Null).await, (200, json!({ "success": true })));
    assert_eq!(world.ghl(Method::GET, &path, Value::Null).await.0, 400);
}

#[tokio::test]
async fn custom_values_have_a_key_that_follows_their_name() {
    let world = World::start().await;
    let values = format!("/locations/{}/customValues", world.location());
    let (status, made) = world.ghl(Method::POST, &values, json!({ "name": "Shop URL", "value": "x" })).await;
    assert_eq!((status, &made["customValue"]["fieldKey"]), (201, &json!("{{ custom_values.shop_url }}")));
    assert_eq!(world.ghl(Method::POST, &values, json!({ "name": "Shop URL" })).await.0, 422);
    let one = format!("{values}/{}", made["customValue"]["id"].as_str().unwrap());
    let (_, changed) = world.ghl(Method::PUT, &one, json!({ "name": "Shop", "value": "y" })).await;
    assert_eq!(
        (&changed["customValue"]["value"], &changed["customValue"]["fieldKey"]),
        (&json!("y"), &json!("{{ custom_values.shop }}"))
    );
    assert_eq!(
        world.ghl(Method::GET, &values, Value::Null).await.1["customValues"],
        json!([changed["customValue"]])
    );
    assert_eq!(world.ghl(Method::DELETE, &one, Value::Null).await.1, json!({ "succeded": true }));
    assert_eq!(world.ghl(Method::GET, &one, Value::Null).await.0, 404);
    let elsewhere = "/locations/elsewhere/customValues";
    assert_eq!(world.ghl(Method::GET, elsewhere, Value::Null).await.0, 403);
}

#[tokio::test]
async fn workflows_campaigns_and_calendars_are_listed_each_in_its_version() {
    let world = World::start().await;
    let of = |path: &str| format!("{path}?locationId={}", world.location());
    let (status, workflows) = world.ghl(Method::GET, &of("/workflows/"), Value::Null).await;
    assert_eq!((status, &workflows["workflows"][0]["name"]), (200, &json!("Welcome")));
    let (_, campaigns) = world.ghl(Method::GET, &(of("/campaigns/") + "&status=draft"), Value::Null).await;
    assert_eq!(campaigns, json!({ "campaigns": [] }));
    assert_eq!(world.ghl(Method::GET, "/workflows/", Value::Null).await.0, 422);
    let (status, calendars) = world.ghl_older(Method::GET, &of("/calendars/"), Value::Null).await;
    assert_eq!((status, calendars["calendars"].as_array().map(Vec::len)), (200, Some(1)));
    let (status, wrong) = world.ghl(Method::GET, &of("/calendars/"), Value::Null).await;
    assert_eq!((status, &wrong["message"]), (401, &json!("version header is invalid.")));
}

#[tokio::test]
async fn an_appointment_is_made_moved_listed_and_cancelled_and_told() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::with(Options { deliver_to: Some(receiver.url.clone()), ..Options::default() }).await;
    let contact = world.create(json!({ "email": "a@deos.com" })).await;
    let calendar = world.sandbox.ghl().state()["calendars"][0]["id"].clone();
    let events = "/calendars/events/appointments";
    let body = json!({
        "calendarId": calendar, "locationId": world.location(), "contactId": contact, "title": "Fitting",
        "startTime": "2026-11-25T12:00:00+01:00",
    });
    let (status, made) = world.ghl_older(Method::POST, events, body.clone()).await;
    assert_eq!((status, &made["endTime"]), (200, &json!("2026-11-25T11:30:00.000Z")));
    let told = receiver.wait_for("AppointmentCreate").await.body();
    assert_eq!(
        (&told["appointment"]["id"], &told["appointment"]["contactId"]),
        (&made["id"], &json!(contact))
    );
    let path = format!("{events}/{}", made["id"].as_str().unwrap());
    let cancel = json!({ "appointmentStatus": "cancelled", "toNotify": false });
    let (_, cancelled) = world.ghl_older(Method::PUT, &path, cancel).await;
    assert_eq!(cancelled["appointmentStatus"], "cancelled");
    assert_eq!(
        receiver.wait_for("AppointmentUpdate").await.body()["appointment"]["appointmentStatus"],
        "cancelled"
    );
    let (_, read) = world.ghl_older(Method::GET, &path, Value::Null).await;
    assert_eq!(read["event"]["appointmentStatus"], "cancelled");
    let (_, of_contact) =
        world.ghl(Method::GET, &format!("/contacts/{contact}/appointments"), Value::Null).await;
    assert_eq!(of_contact["events"][0]["id"], made["id"]);
    let list =
        format!("/calendars/events?locationId={}&startTime=0&endTime=99999999999999", world.location());
    assert_eq!(world.ghl_older(Method::GET, &list, Value::Null).await.0, 422, "of whom?");
    let list = format!("{list}&calendarId={}", calendar.as_str().unwrap());
    assert_eq!(world.ghl_older(Method::GET, &list, Value::Null).await.1["events"][0]["id"], made["id"]);
    for (name, value, status) in [
        ("startTime", json!("soon"), 422),
        ("endTime", json!("2026-11-25T10:00:00+01:00"), 400),
        ("calendarId", json!("nothing"), 404),
        ("contactId", json!("nobody"), 404),
    ] {
        let mut wrong = body.clone();
        wrong[name] = value;
        assert_eq!(world.ghl_older(Method::POST, events, wrong).await.0, status, "{name}");
    }
    let delete = format!("/calendars/events/{}", made["id"].as_str().unwrap());
    assert_eq!(
        world.ghl_older(Method::DELETE, &delete, json!({})).await,
        (201, json!({ "succeeded": true }))
    );
    receiver.wait_for("AppointmentDelete").await;
    assert_eq!(world.sandbox.ghl().state()["appointments"], json!([]));
}

#[tokio::test]
async fn a_message_begins_the_contacts_conversation_and_both_sides_are_told() {
    let receiver = Receiver::start(&[200]).await;
    let world = World::with(Options { deliver_to: Some(receiver.url.clone()), ..Options::default() }).await;
    let contact = world.create(json!({ "phone": "+12025550143", "name": "Ada Deo" })).await;
    let sms = json!({ "type": "SMS", "subType": {}, "contactId": contact, "message": "Hello", "status": "delivered" });
    let (status, sent) = world.ghl_older(Method::POST, "/conversations/messages", sms.clone()).await;
    assert_eq!((status, &sent["msg"]), (200, &json!("Message queued successfully.")), "{sent}");
    assert_eq!(receiver.wait_for("OutboundMessage").await.body()["body"], "Hello");
    let conversation = sent["conversationId"].as_str().unwrap();
    let begin = json!({ "locationId": world.location(), "contactId": contact });
    let (status, there) = world.ghl_older(Method::POST, "/conversations/", begin).await;
    assert_eq!((status, &there["conversation"]["id"]), (201, &json!(conversation)), "the one that is there");
    let act = json!({ "action": "message.receive", "contact_id": contact, "message": "Hi" });
    world.sandbox.ghl().act(act).await.unwrap();
    assert_eq!(receiver.wait_for("InboundMessage").await.body()["conversationId"], json!(conversation));
    let messages = format!("/conversations/{conversation}/messages");
    let (_, listed) = world.ghl_older(Method::GET, &messages, Value::Null).await;
    let bodies: Vec<&str> =
        listed["messages"].as_array().unwrap().iter().map(|it| it["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["Hi", "Hello"]);
    let (_, read) =
        world.ghl_older(Method::GET, &format!("/conversations/{conversation}"), Value::Null).await;
    assert_eq!(read["unreadCount"], 1);
    let seen = json!({ "locationId": world.location(), "unreadCount": 0 });
    world.ghl_older(Method::PUT, &format!("/conversations/{conversation}"), seen).await;
    let search = format!("/conversations/search?locationId={}&query=ada", world.location());
    let (_, found) = world.ghl_older(Method::GET, &search, Value::Null).await;
    assert_eq!((&found["total"], &found["conversations"][0]["unreadCount"]), (&json!(1), &json!(0)));
    let mail = json!({ "type": "Email", "subType": {}, "contactId": contact, "html": "<p>x</p>", "status": "delivered" });
    assert_eq!(
        world.ghl_older(Method::POST, "/conversations/messages", mail).await.0,
        400,
        "it has no address"
    );
    let unknown = json!({ "type": "Pigeon", "subType": {}, "contactId": contact, "status": "delivered" });
    assert_eq!(world.ghl_older(Method::POST, "/conversations/messages", unknown).await.0, 422);
}
