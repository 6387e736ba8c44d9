//! Lists the customers of a store: `STORE_URL=https://shop.example.com STORE_EMAIL=admin@example.com
//! STORE_API_KEY=… cargo run -p cscart --example list_customers`.

use std::{env, error::Error};

use cscart::{Client, UserQuery};
use secrecy::SecretString;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = SecretString::from(env::var("STORE_API_KEY")?);
    let client = Client::builder(env::var("STORE_URL")?, env::var("STORE_EMAIL")?, key).build()?;
    println!("version {} of the API", client.version().await?.value);

    let mut pages = client.users().list_all(&UserQuery::default());
    while let Some(page) = pages.next().await {
        for user in page?.value.items {
            let id = user.user_id.map_or_else(|| "guest".to_owned(), |id| id.to_string());
            println!("{id}\t{}", user.email.unwrap_or_default());
        }
    }
    Ok(())
}
