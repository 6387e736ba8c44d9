//! Text with expressions in it, compiled once.

use minijinja::{Environment, Value};

use super::environment::ENVIRONMENT;
use super::{Names, Needs, bounds, known_names, located, message, scan};

/// A text that is rendered.
#[derive(Debug)]
pub(in crate::flow) struct Text {
    /// The common environment with this one template in it: a template borrows its text, and only an environment owns both.
    /// The filters in it are shared, so it is small.
    environment: Environment<'static>,
    /// The variables that it looks at, as paths.
    pub(super) looks_at: Vec<String>,
    /// The variables that it may look at, filters included.
    pub(super) needs: Needs,
}

/// The name of the only template in its environment.
const NAME: &str = "text";

impl Text {
    /// Compiles it; an error says what is wrong.
    pub(super) fn parse(text: &str, names: &Names) -> Result<Self, String> {
        scan::check(text, false)?;
        let mut environment = ENVIRONMENT.clone();
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| message(&error))?;
        let template = environment.get_template(NAME).map_err(|error| message(&error))?;
        let looks_at = names.check(|nested| template.undeclared_variables(nested))?;
        known_names(template.render(Value::UNDEFINED))?;
        Ok(Self { environment, looks_at, needs: Needs::of(text) })
    }

    pub(super) fn render(&self, variables: &Value) -> Result<Value, String> {
        let template = self.environment.get_template(NAME).map_err(|error| message(&error))?;
        let text = template.render(variables).map_err(|error| message(&error));
        text.and_then(|text| bounds::bounded(Value::from(text)))
            .map_err(|what| located(&what, template.source()))
    }
}
