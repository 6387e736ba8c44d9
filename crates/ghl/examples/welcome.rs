//! Makes a contact with a task and a note, without any bridge. Against the sandbox:
//!
//! ```sh
//! cartbridge sandbox    # its first line tells url, token and location_id
//! GHL_URL=http://127.0.0.1:41001 GHL_TOKEN=pit-… GHL_LOCATION=… cargo run -p ghl --example welcome
//! ```
//!
//! Without `GHL_URL` it talks to HighLevel itself.

use std::env::var;
use std::time::Duration;

use ghl::{Client, Error, NewContact, NewNote, NewTask};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = var("GHL_URL").unwrap_or_else(|_| ghl::DEFAULT_BASE_URL.to_owned());
    let token = SecretString::from(var("GHL_TOKEN")?);
    let client = Client::builder().base_url(url).token(token).timeout(Duration::from_secs(10)).build()?;

    let new = NewContact {
        first_name: Some("Ada".into()),
        email: Some("ada@example.com".into()),
        tags: vec!["customer".into()],
        ..NewContact::new(var("GHL_LOCATION")?)
    };
    let contact = match client.contacts().create(&new).await {
        Ok(answer) => {
            println!("made contact {} in {:?}", answer.value.id, answer.exchange.duration);
            answer.value.id
        }
        Err(failure) => match failure.error {
            Error::DuplicateContact { contact_id, .. } => {
                println!("contact {contact_id} is there already");
                contact_id
            }
            error if error.maybe_processed() => {
                println!("look before you send it again: {error}");
                return Err(error.into());
            }
            error => return Err(error.into()),
        },
    };
    let due = Timestamp::now() + SignedDuration::from_hours(24);
    let task = client.tasks().create(&contact, &NewTask::new("Say hello", due)).await?.value;
    println!("made task {}", task.id);
    let note = client.notes().create(&contact, &NewNote::new("Made by an example.")).await?;
    println!(
        "made note {}; {:?} requests are left in this window",
        note.value.id, note.exchange.rate_limit.remaining
    );
    Ok(())
}
