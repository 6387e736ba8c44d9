//! An import of 50,000 customers into an empty location, and the same again: calls for each customer, how much of the rate limit
//! is used, and the memory of the bridge, which runs as a process of its own.
//!
//! `cargo bench --bench import`; `-- <customers> <ms>` for another number and another window. The simulated HighLevel keeps its rate
//! limit to the letter, in a window that is shorter than the real one: 100 calls in 800 ms instead of 10 s, or it would take an hour
//! and a half. What round trips differ by, a few milliseconds, weighs so much more than in the real one.

#![allow(clippy::expect_used, reason = "a benchmark ends where something is not as it should be")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

const ADMIN_KEY: &str = "an-admin-key-of-at-least-32-characters";
/// The simulated rate limit.
const MAX: u64 = 100;
const INTERVAL_MS: u64 = 800;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let customers: u64 = numbers.next().unwrap_or(50_000);
    let interval = Duration::from_millis(numbers.next().unwrap_or(INTERVAL_MS));
    let sandbox = Sandbox::start(Options::default()).await.expect("the sandbox starts");
    let rate = json!({ "max": MAX, "interval_ms": interval.as_millis() as u64, "daily": 100_000_000 });
    sandbox.ghl().settings(json!({ "rate": rate })).expect("it takes the limit");
    let person = |n| {
        json!({
            "email": format!("person{n}@example.com"), "firstname": format!("Person{n}"), "lastname": "Example",
            "phone": format!("+1{}", 2_012_000_000_u64 + n),
        })
    };
    let users: Vec<Value> = (0..customers).map(person).collect();
    sandbox
        .cscart()
        .act(json!({ "action": "customers.seed", "users": users }))
        .await
        .expect("they are seeded");

    let folder = tempfile::tempdir().expect("there is a folder");
    let bridge = Bridge::start(&sandbox, folder.path()).await;
    println!("{customers} customers, {MAX} calls in {} ms allowed", interval.as_millis());
    for round in ["an empty location", "nothing has changed"] {
        let before = sandbox.ghl().journal().len();
        let began = Instant::now();
        let job = bridge.import().await;
        let took = began.elapsed();
        let journal = sandbox.ghl().journal();
        let refused = journal[before..].iter().filter(|call| call.status == Some(429)).count();
        let calls = journal.len() - before;
        let allowed = took.as_secs_f64() / interval.as_secs_f64() * MAX as f64;
        println!(
            "{round}: {:.4} calls a customer, {:.1} % of the rate limit, {refused} refused, {:.0} s, {} MiB at most; {}",
            calls as f64 / customers as f64,
            calls as f64 / allowed * 100.0,
            took.as_secs_f64(),
            bridge.memory_kib() / 1024,
            job["outcomes"]
        );
    }
    drop(bridge);
    sandbox.shutdown().await;
}

/// The bridge as a process; dropping it ends it.
struct Bridge {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Bridge {
    async fn start(sandbox: &Sandbox, folder: &std::path::Path) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        drop(listener);
        let announced = sandbox.announcement();
        let (ghl, cscart) = (&announced["ghl"], &announced["cscart"]);
        let text = format!(
            "listen = \"{address}\"\ndatabase = \"sqlite://{}\"\n[[connection]]\nname = \"my-shop\"\n[connection.ghl]\n\
             location_id = {}\ntoken = {}\napi_url = {}\n[connection.cscart]\nurl = {}\nemail = {}\napi_key = {}\n\
             webhook_secrets = [{}]\n",
            folder.join("bench.db").display(),
            ghl["location_id"],
            ghl["token"],
            ghl["url"],
            cscart["url"],
            cscart["email"],
            cscart["api_key"],
            cscart["webhook_secret"],
        );
        let config = folder.join("cartbridge.toml");
        std::fs::write(&config, text).expect("the configuration can be written");
        let child = Command::new(env!("CARGO_BIN_EXE_cartbridge"))
            .args(["serve", "--config"])
            .arg(&config)
            .env("CARTBRIDGE_ADMIN_KEY", ADMIN_KEY)
            .env("CARTBRIDGE_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let bridge = Self { child, url: format!("http://{address}"), http: reqwest::Client::new() };
        while bridge.http.get(format!("{}/readyz", bridge.url)).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bridge
    }

    /// Does a whole import; answers the job as it is then.
    async fn import(&self) -> Value {
        let asked = json!({ "connection": "my-shop", "kind": "import" });
        let request = self.http.post(format!("{}/api/jobs", self.url)).bearer_auth(ADMIN_KEY).json(&asked);
        let started: Value = request.send().await.expect("it answers").json().await.expect("in JSON");
        let url = format!("{}/api/jobs/{}", self.url, started["id"].as_str().expect("it has an id"));
        loop {
            let request = self.http.get(&url).bearer_auth(ADMIN_KEY);
            let job: Value = request.send().await.expect("it answers").json().await.expect("in JSON");
            match job["state"].as_str() {
                Some("done") => return job,
                Some("queued" | "running") => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => panic!("it did not come to its end: {job}"),
            }
        }
    }

    /// The most memory that the process has had resident.
    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the system tells about processes");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("and their memory");
        line.trim().trim_end_matches(" kB").parse().expect("in KiB")
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
