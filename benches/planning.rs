//! What planning costs (match, conditions and rendering of the shipped routes), its share of the whole path, and loading
//! 1,000 routes. CPU time, as the kernel counts it, so that whatever else the machine does is left out.
//!
//! `cargo bench --bench planning`; see the README for how to read it.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    dead_code,
    reason = "a benchmark ends where something is not as it should be, and shares parts with others"
)]

#[path = "support/bridge.rs"]
mod bridge;
#[path = "support/load.rs"]
mod load;
#[path = "support/running.rs"]
mod running;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use cartbridge::connection::Connection;
use cartbridge::flow::{Context, Next};
use cartbridge::routes::Routes;
use cartbridge::sync::{self, Mapped};
use cscart::{Order, User};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events of each kind that are planned in one round.
const EVENTS: usize = 50_000;
/// Rounds; the median counts.
const ROUNDS: usize = 5;
/// Events of each kind that go the whole path.
const WHOLE: usize = 3_000;
/// What is to be reached on one core.
const WANTED: f64 = 50_000.0;

const KINDS: [&str; 3] = ["customer.created", "customer.updated", "order.created"];

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let config = bridge::config(&folder.path().join("no.db"), "http://127.0.0.1:9", "location", "pit-bench");
    let connection = &config.connection[0];
    let routes = Routes::load(None).expect("the shipped routes are good");

    println!(
        "{:<30} {:>10} {:>10} {:>10} {:>12}",
        "µs of CPU per event", "JSON", "mapping", "planning", "planned/s"
    );
    let mut planned = Vec::new();
    for kind in KINDS {
        let cost = Cost::of(kind, &routes, connection);
        cost.print(kind);
        planned.push(cost.planning);
    }
    if std::env::args().any(|argument| argument == "--planning") {
        return;
    }

    let many = folder.path().join("routes");
    write_routes(&many, 1_000);
    let started = (Instant::now(), thread_cpu());
    let loaded = Routes::load(Some(&many)).expect("the routes are good");
    let (took, cpu) = (started.0.elapsed(), thread_cpu().saturating_sub(started.1));
    assert_eq!(loaded.count(), 1_000 + routes.count());
    Cost::of("order.created", &loaded, connection).print("order.created, 1,000 routes");
    println!(
        "loading 1,000 routes: {:.2} s, {:.2} s of CPU   (below 1 s)",
        took.as_secs_f64(),
        cpu.as_secs_f64()
    );

    whole_path(&folder.path().join("whole"), &planned).await;
}

/// Of one event.
struct Cost {
    json: Duration,
    mapping: Duration,
    planning: Duration,
}

impl Cost {
    /// The parts one after the other, each for all events at once.
    fn of(kind: &str, routes: &Routes, connection: &Connection) -> Self {
        let bodies: Vec<String> = (1..=512).map(|id| body(kind, id)).collect();
        let mut rounds: Vec<[Duration; 3]> = (0..ROUNDS)
            .map(|_| {
                let json = per_event(&bodies, |body| parsed(body));
                let values: Vec<Value> = bodies.iter().map(|body| parsed(body)).collect();
                let mapping = per_event(&values, |value| mapped(value, connection));
                let mapped: Vec<Mapped> = values.iter().map(|value| mapped(value, connection)).collect();
                let whole: Vec<(Value, Mapped)> = values.into_iter().zip(mapped).collect();
                let trigger = format!("cscart.{kind}");
                let planning =
                    per_event(&whole, |(value, mapped)| plan(&trigger, value, mapped, routes, connection));
                [json, mapping, planning]
            })
            .collect();
        let mut median = |part: usize| {
            rounds.sort_by_key(|round| round[part]);
            rounds[ROUNDS / 2][part]
        };
        Self { json: median(0), mapping: median(1), planning: median(2) }
    }

    fn print(&self, what: &str) {
        let rate = 1.0 / self.planning.as_secs_f64();
        println!(
            "{what:<30} {:>10.1} {:>10.1} {:>10.1} {rate:>12.0}   ({:.1} times the {WANTED:.0} that are wanted)",
            micros(self.json),
            micros(self.mapping),
            micros(self.planning),
            rate / WANTED,
        );
    }
}

fn per_event<T, R>(events: &[T], mut work: impl FnMut(&T) -> R) -> Duration {
    let before = thread_cpu();
    for event in events.iter().cycle().take(EVENTS) {
        black_box(work(black_box(event)));
    }
    thread_cpu().saturating_sub(before) / EVENTS as u32
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).expect("it is JSON")
}

fn mapped(body: &Value, connection: &Connection) -> Mapped {
    let data = &body["data"];
    if let Some(user) = data.get("user") {
        sync::from_user(&User::deserialize(user).expect("it is a customer"), &connection.settings)
    } else {
        sync::from_order(&Order::deserialize(&data["order"]).expect("it is an order"), &connection.settings)
    }
}

/// From the routes in force to the last step, as the engine goes: each step is told its result when it has come. Answers how
/// many steps there were.
fn plan(trigger: &str, body: &Value, mapped: &Mapped, routes: &Routes, connection: &Connection) -> usize {
    let routes = routes.of_connection(connection);
    let mut run = routes
        .begin(&Context {
            trigger,
            event_id: "0193b4c1-7e1a-7000-8000-000000000001".into(),
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            connection: &connection.name,
            settings: &connection.settings,
            store: &body["store"],
            data: &body["data"],
            contact: &mapped.contact,
            contact_id: None,
            today: jiff::civil::date(2026, 11, 25),
            continued: None,
        })
        .expect("it begins");
    let mut steps = 0;
    loop {
        match run.next().expect("every value can be rendered") {
            Next::Step(step) => {
                steps += 1;
                run.linked(Some("contact0000000000001"));
                run.done(&step.key, &json!({ "contact_id": "contact0000000000001" }));
                black_box(step);
            }
            Next::Skipped(skipped) => drop(black_box(skipped)),
            Next::End => return steps,
            Next::Waits | Next::Delay(_) => unreachable!("no shipped route waits"),
        }
    }
}

/// The same kinds through the whole bridge, each with customers of its own.
async fn whole_path(folder: &Path, planned: &[Duration]) {
    std::fs::create_dir_all(folder).expect("a folder can be made");
    let (sandbox, address, store, stop) = running::with_sandbox(folder).await;
    println!("\n{:<30} {:>10} {:>10} {:>10}", "the whole path, µs of CPU", "whole", "planning", "share");
    for (kind, planning) in KINDS.into_iter().zip(planned) {
        // An update is one of a customer that was created before; an order is a guest's.
        let requests = (1..=WHOLE)
            .map(|id| {
                let name = format!("msg_{kind}_{id}");
                load::webhook("/webhooks/cscart/my-shop", &bridge::secret(), &name, &body(kind, id))
            })
            .collect();
        let before = process_cpu();
        load::send_all(address, requests, 64, "HTTP/1.1 202").await;
        running::settled(&*store).await;
        let whole = process_cpu().saturating_sub(before) / WHOLE as u32;
        let share = planning.as_secs_f64() / whole.as_secs_f64();
        println!("{kind:<30} {:>10.0} {:>10.1} {:>9.1}%", micros(whole), micros(*planning), 100.0 * share);
    }
    stop.cancel();
    sandbox.shutdown().await;
}

fn body(kind: &str, id: usize) -> String {
    if kind != "order.created" {
        return bridge::customer(kind, id, if kind == "customer.updated" { "Rome" } else { "Paris" });
    }
    let products: Vec<Value> = (1..=5)
        .map(|n| {
            json!({ "product_id": n, "product": format!("Blue & white chair {n}"), "product_code": format!("CHAIR-{n}"),
                "amount": n, "price": "49.90", "category_ids": [12, 40 + n] })
        })
        .collect();
    json!({
        "type": kind, "timestamp": jiff::Timestamp::now().to_string(),
        "store": { "url": "https://shop.example.com", "company_id": 1, "storefront_id": 1, "version": "4.18.2",
            "edition": "ULTIMATE", "addon": "1.0.0" },
        "data": { "order": {
            "order_id": id, "user_id": 0, "email": format!("guest{id}@example.com"), "status": "O", "total": "748.50",
            "currency": "USD", "notes": "Please ring twice.", "details": "", "timestamp": "1795521600",
            "firstname": "Grace", "lastname": "Hopper", "company": "", "phone": "", "lang_code": "en",
            "b_firstname": "Grace", "b_lastname": "Hopper", "b_address": "1 Navy Yard", "b_address_2": "", "b_city": "Arlington",
            "b_county": "", "b_state": "VA", "b_country": "US", "b_zipcode": "22201", "b_phone": "",
            "s_firstname": "Grace", "s_lastname": "Hopper", "s_address": "1 Navy Yard", "s_address_2": "", "s_city": "Arlington",
            "s_county": "", "s_state": "VA", "s_country": "US", "s_zipcode": "22201", "s_phone": "",
            "fields": {}, "products": products,
        } },
    })
    .to_string()
}

/// Routes of many triggers, each with a condition and two steps of templates. One in a hundred is for new orders.
fn write_routes(folder: &Path, many: usize) {
    const TRIGGERS: [&str; 5] = [
        "cscart.customer.updated",
        "cscart.order.updated",
        "cscart.order.status_changed",
        "cscart.cart.abandoned",
        "cscart.review.created",
    ];
    std::fs::create_dir_all(folder).expect("a folder can be made");
    for n in 0..many {
        let trigger = if n % 100 == 0 { "cscart.order.created" } else { TRIGGERS[n % TRIGGERS.len()] };
        let mut text = String::new();
        write!(
            text,
            r#"description = "Number {n}."
on = ["{trigger}"]
when = "data.order.total | default(0) | float > {n} and data.order.status in ['P', 'O']"

[[step]]
id = "contact"
do = "ghl.contact.ensure"
[step.with]
tags = "{{{{ settings.customer_tags + ['flow-{n}'] }}}}"

[[step]]
id = "task"
if = "contact.email and data.order.products | length > {few}"
do = "ghl.task.create"
[step.with]
title = "Order {{{{ data.order.order_id }}}} of {{{{ contact.first_name or contact.email }}}}: number {n}"
body = "{{% for line in data.order.products %}}{{{{ line.amount }}}} x {{{{ line.product | entities }}}}\n{{% endfor %}}"
due_in_days = 1
"#,
            few = n % 5
        )
        .expect("a text can be written to");
        std::fs::write(folder.join(format!("flow-{n}.toml")), text).expect("the file can be written");
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The CPU time of this thread: the first number of its `schedstat`, in nanoseconds (`sched-stats` in the kernel's documentation).
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts");
    let nanos = text.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("it is a number"))
}

/// The CPU time of all threads, in steps of 10 ms: `utime` and `stime` of `/proc/self/stat`, see `proc_pid_stat(5)`.
fn process_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("the kernel counts");
    // The name before it may hold spaces.
    let (_, fields) = text.rsplit_once(')').expect("a name stands in it");
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("it is a number"));
    Duration::from_millis(10 * ticks.sum::<u64>())
}
