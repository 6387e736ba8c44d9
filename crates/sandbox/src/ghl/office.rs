//! What a location has beside its contacts and what belongs to them: the tables that its people set up once.

use serde_json::{Value, json};

use crate::ids::Ids;

/// Pipelines, workflows, campaigns, calendars and custom values, as the answers show them.
#[derive(Default)]
pub(crate) struct Office {
    pub(crate) pipelines: Vec<Value>,
    pub(crate) workflows: Vec<Value>,
    pub(crate) campaigns: Vec<Value>,
    pub(crate) calendars: Vec<Value>,
    pub(crate) custom_values: Vec<Value>,
}

/// When everything was set up.
const SET_UP: &str = "2026-01-05T09:00:00.000Z";

impl Office {
    /// Two pipelines, two workflows, a campaign and a calendar. Shapes: opportunities.json (a stage's is not described there),
    /// workflows.json, campaigns.json, calendars.json.
    pub(crate) fn at_start(mut ids: Ids, location_id: &str) -> Self {
        let mut pipeline = |name: &str, stages: &[&str]| {
            let stages: Vec<Value> = stages
                .iter()
                .enumerate()
                .map(|(position, name)| json!({ "id": ids.uuid(), "name": name, "position": position }))
                .collect();
            json!({
                "id": ids.id(), "name": name, "stages": stages, "showInFunnel": true, "showInPieChart": true,
                "locationId": location_id,
            })
        };
        let pipelines = vec![
            pipeline("Orders", &["Placed", "Paid", "Shipped", "Complete"]),
            pipeline("Leads", &["New", "Contacted", "Offer sent"]),
        ];
        let workflows = [("Welcome", "published"), ("Win back", "draft")].map(|(name, status)| {
            json!({
                "id": ids.uuid(), "name": name, "status": status, "version": 1, "createdAt": SET_UP,
                "updatedAt": SET_UP, "locationId": location_id,
            })
        });
        let campaigns = vec![
            json!({ "id": ids.id(), "name": "Newsletter", "status": "published", "locationId": location_id }),
        ];
        let example = catalogue::answer("ghl.calendar.get").map(|answer| answer.example["calendar"].clone());
        let mut calendar = example.unwrap_or_else(|| json!({}));
        for (name, value) in
            [("id", json!(ids.id())), ("name", json!("Fittings")), ("locationId", json!(location_id))]
        {
            calendar[name] = value;
        }
        Self {
            pipelines,
            workflows: workflows.to_vec(),
            campaigns,
            calendars: vec![calendar],
            custom_values: Vec::new(),
        }
    }

    /// The pipeline of this id.
    pub(crate) fn pipeline(&self, id: &str) -> Option<&Value> {
        self.pipelines.iter().find(|pipeline| pipeline["id"] == id)
    }
}
