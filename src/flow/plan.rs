//! Planning: which steps an event asks for, with every value rendered. Nothing is done yet; this is what a dry run shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Value, context};

use super::Operation;
use super::parameters::Arguments;
use super::route::{Route, RouteSet, Step};
use crate::connection::{ConnectionName, Settings};
use crate::effect::StepKey;
use crate::sync::Canonical;

/// What a route can see.
#[derive(Debug)]
pub struct Context<'a> {
    /// The event's name for routes: `cscart.customer.created`.
    pub trigger: &'a str,
    /// The event's id.
    pub event_id: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The connection's settings.
    pub settings: &'a Settings,
    /// `store` of the event's body.
    pub store: &'a serde_json::Value,
    /// `data` of the event's body.
    pub data: &'a serde_json::Value,
    /// The customer in the common form.
    pub contact: &'a Canonical,
    /// The contact's id, where there is a link.
    pub contact_id: Option<&'a str>,
}

impl Context<'_> {
    fn variables(&self) -> Value {
        let contact: BTreeMap<String, &str> =
            self.contact.iter().map(|(field, value)| (field.to_string(), value)).collect();
        context! {
            event => context! { type => self.trigger, id => self.event_id.as_str(), occurred_at => self.occurred_at.to_string() },
            connection => context! { name => self.connection.as_str() },
            settings => Value::from(Serde(self.settings)),
            store => Value::from(Serde(self.store)),
            data => super::expression::tree(self.data),
            contact => context! { id => self.contact_id, ..Value::from(Serde(contact)) },
        }
    }
}

/// What is to be done for an event.
#[derive(Debug, Default)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// What a condition ruled out.
    pub skipped: Vec<Skipped>,
}

/// A step with everything that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Its key in the ledger.
    pub key: StepKey,
    /// What it asks for.
    pub operation: Operation,
}

/// A route or a step that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The route.
    pub route: String,
    /// The step; none: the whole route.
    pub step: Option<String>,
    /// Why, in a few words.
    pub why: String,
}

/// Why a route cannot run for an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route `{route}`{}: {what}", step.as_ref().map(|step| format!(", step `{step}`")).unwrap_or_default())]
pub struct PlanError {
    /// The route.
    pub route: String,
    /// The step; none: the route's own condition.
    pub step: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl RouteSet {
    /// Plans an event.
    pub fn plan(&self, context: &Context<'_>) -> Result<Plan, PlanError> {
        let mut plan = Plan::default();
        let variables = context.variables();
        for route in self.of(context.trigger) {
            plan_route(route, context, &variables, &mut plan)?;
        }
        Ok(plan)
    }
}

fn plan_route(
    route: &Route,
    context: &Context<'_>,
    variables: &Value,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let wrong = |step: Option<&Step>, what: String| PlanError {
        route: route.id.clone(),
        step: step.map(|step| step.id.clone()),
        what,
    };
    let skipped = |step: Option<&Step>, why: &str| Skipped {
        route: route.id.clone(),
        step: step.map(|step| step.id.clone()),
        why: why.to_owned(),
    };
    if let Some(when) = &route.when
        && !when.eval(variables).map_err(|what| wrong(None, what))?.is_true()
    {
        plan.skipped.push(skipped(None, "the route's condition does not hold"));
        return Ok(());
    }
    for step in &route.steps {
        if let Some(condition) = &step.condition
            && !condition.eval(variables).map_err(|what| wrong(Some(step), what))?.is_true()
        {
            plan.skipped.push(skipped(Some(step), "the step's condition does not hold"));
            continue;
        }
        let mut arguments = Arguments { values: BTreeMap::new(), occurred_at: context.occurred_at };
        for (name, template) in &step.with {
            let value =
                template.render(variables).map_err(|what| wrong(Some(step), format!("`{name}`: {what}")))?;
            arguments.values.insert(name, value);
        }
        let operation = (step.spec.make)(&arguments).map_err(|what| wrong(Some(step), what))?;
        plan.steps
            .push(PlannedStep { key: StepKey { route: route.id.clone(), step: step.id.clone() }, operation });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::Field;

    fn plan(text: &str, data: &serde_json::Value) -> Result<Plan, PlanError> {
        let routes = RouteSet::parse(vec![("welcome.toml".into(), text.into())]).unwrap();
        let contact: Canonical = [(Field::FirstName, "Ada".to_owned())].into_iter().collect();
        routes.plan(&Context {
            trigger: "cscart.customer.created",
            event_id: "e1".into(),
            occurred_at: "2026-11-24T12:00:00Z".parse().unwrap(),
            connection: &"my-shop".parse().unwrap(),
            settings: &Settings::default(),
            store: &json!({ "url": "https://shop.example.com" }),
            data,
            contact: &contact,
            contact_id: None,
        })
    }

    const WELCOME: &str = r#"
        on = ["cscart.customer.created"]
        when = "data.user.user_type != 'A'"
        [[step]]
        id = "task"
        do = "ghl.task.create"
        if = "settings.welcome_task.enabled"
        with = { title = "{{ settings.welcome_task.title | render }}", due_in_days = "{{ settings.welcome_task.due_in_days }}", once_per_customer = true }
    "#;

    #[test]
    fn values_are_rendered_and_due_dates_count_from_when_it_happened() {
        let plan = plan(WELCOME, &json!({ "user": { "user_type": "C" } })).unwrap();
        let expected = Operation::CreateTask {
            title: "Welcome Ada".into(),
            body: None,
            due_date: "2026-11-25T12:00:00Z".parse().unwrap(),
            assigned_to: None,
            once_per_customer: true,
        };
        assert_eq!(plan.steps[0].operation, expected);
    }

    #[test]
    fn a_condition_that_does_not_hold_is_told() {
        let plan = plan(WELCOME, &json!({ "user": { "user_type": "A" } })).unwrap();
        assert!(plan.steps.is_empty());
        assert_eq!(plan.skipped[0].why, "the route's condition does not hold");
    }

    #[test]
    fn a_value_of_the_wrong_type_names_route_and_step() {
        let text = WELCOME.replace("{{ settings.welcome_task.due_in_days }}", "{{ store.url }}");
        let error = plan(&text, &json!({ "user": {} })).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("route `welcome`, step `task`: `due_in_days` must be a whole number"),
            "{error}"
        );
    }
}
