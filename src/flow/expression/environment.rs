//! The two environments: for what authors write, and for texts that are templates themselves (`render`).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context};

use super::{Names, known_names, message, scan};
use crate::flow::filters;

/// What one template may spend: some ten thousand steps of its machine. The largest of the shipped ones takes a hundred.
const FUEL: u64 = 50_000;

/// What a rendered text may spend. The template that renders it pays that much, whatever it takes: so it can render four.
const INNER_FUEL: u64 = 10_000;

/// minijinja's filters that are not offered: what they give is lists of lists that are only made when they are walked, which
/// no fuel pays for; or what means nothing here (there is no HTML to escape); or what a filter of ours stands for.
const WITHOUT_FILTERS: [&str; 11] =
    ["batch", "chain", "e", "escape", "groupby", "indent", "pprint", "safe", "slice", "unique", "zip"];

/// Functions that are not offered: they would show all variables, and give names to what is built.
const WITHOUT_FUNCTIONS: [&str; 3] = ["debug", "dict", "namespace"];

/// For what authors write.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = environment(FUEL);
    environment.add_filter("render", render);
    environment
});

/// For texts that are rendered: without `render`, so that none renders itself.
static INNER: LazyLock<Environment<'static>> = LazyLock::new(|| environment(INNER_FUEL));

fn environment(fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    // Missing values are the rule with CS-Cart: they read as empty, however deep.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(50);
    for name in WITHOUT_FILTERS {
        environment.remove_filter(name);
    }
    for name in WITHOUT_FUNCTIONS {
        environment.remove_global(name);
    }
    filters::add_to(&mut environment);
    environment
}

/// Renders a text that is itself a template, such as the welcome task's title from the settings.
fn render(state: &State<'_, '_>, text: String) -> Result<String, Error> {
    state.consume_fuel(INNER_FUEL)?;
    let compiled = compiled(&RENDERED, text)?;
    let variable = |name| state.lookup(name).unwrap_or_default();
    compiled.get_template(NAME)?.render(context! {
        connection => variable("connection"), contact => variable("contact"), data => variable("data"),
        event => variable("event"), settings => variable("settings"), store => variable("store"),
        today => variable("today"),
    })
}

/// Whether a text can be rendered later; an error says what is wrong.
pub(in crate::flow) fn check_rendered(text: &str) -> Result<(), String> {
    scan::check(text, false)?;
    let mut environment = INNER.clone();
    environment.add_template(NAME, text).map_err(|error| message(&error))?;
    let template = environment.get_template(NAME).map_err(|error| message(&error))?;
    Names::default().check(|nested| template.undeclared_variables(nested))?;
    known_names(template.render(Value::UNDEFINED))
}

/// Texts with their templates, each the only one of its environment.
type Compiled = HashMap<String, Arc<Environment<'static>>>;

/// Texts that were rendered lately. Those of the settings are the same for each event, and are compiled once.
static RENDERED: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);

/// So many of them are kept. More than that are no settings but data, of which each is another.
const MOST: usize = 256;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 4096;

/// The name of the only template.
const NAME: &str = "text";

fn compiled(kept: &Mutex<Compiled>, text: String) -> Result<Arc<Environment<'static>>, Error> {
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(&text) {
        return Ok(Arc::clone(known));
    }
    scan::check(&text, false).map_err(|why| Error::new(ErrorKind::SyntaxError, why))?;
    let mut environment = INNER.clone();
    environment.add_template_owned(NAME, text.clone())?;
    let environment = Arc::new(environment);
    if text.len() <= LONGEST {
        let mut kept = lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(text, Arc::clone(&environment));
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_compiled_once_and_not_all_that_were_ever_seen_are_kept() {
        let kept = Mutex::default();
        let one = |text: &str| compiled(&kept, text.to_owned());
        let (first, second) = (one("Hello {{ data.name }}").unwrap(), one("Hello {{ data.name }}").unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(one("{{ broken").is_err() && one("{% set a = 1 %}").is_err());
        for n in 0..MOST * 2 {
            one(&format!("{n} {{{{ data.name }}}}")).unwrap();
        }
        one(&"x".repeat(LONGEST + 1)).unwrap();
        let kept = kept.lock().unwrap();
        assert!(kept.len() <= MOST && kept.keys().all(|text| text.len() <= LONGEST));
    }
}
