//! Expressions and templates in routes and mappings: minijinja, without files, without includes, bounded.
//!
//! A template is bounded three times: in what it may be made of ([`scan`]), in what it may spend while it runs (fuel: steps
//! and the bytes they make, 3.2 MB in all), and in what may come out of it ([`bounded`]). Customers' data is only ever a value,
//! never a template, unless an author says `render`.

mod bounds;
mod environment;
mod scan;
mod tree;

use minijinja::value::Serde;
use minijinja::{Error, ErrorKind, Expression, Value};

use environment::ENVIRONMENT;
pub(super) use tree::tree;

/// The variables that a route may use.
pub(super) const VARIABLES: [&str; 6] = ["connection", "contact", "data", "event", "settings", "store"];

/// The longest message of a mistake, in bytes: it may quote a value.
const MAX_MESSAGE: usize = 500;

/// A condition, or a value that keeps its type.
#[derive(Debug)]
pub(super) struct Formula(Expression<'static, 'static>);

impl Formula {
    /// Compiles it; an error says what is wrong.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        scan::check(source, true)?;
        let expression =
            ENVIRONMENT.compile_expression_owned(source.to_owned()).map_err(|error| message(&error))?;
        known_variables(expression.undeclared_variables(false))?;
        known_names(expression.eval(Value::UNDEFINED))?;
        Ok(Self(expression))
    }

    pub(super) fn eval(&self, variables: &Value) -> Result<Value, String> {
        bounds::bounded(self.0.eval(variables).map_err(|error| message(&error))?)
    }
}

/// A value of a step's parameter.
#[derive(Debug)]
pub(super) enum Template {
    /// It stands in the file as it is.
    Literal(Value),
    /// `"{{ expression }}"` and nothing else: the value keeps its type.
    Formula(Formula),
    /// Text with expressions in it.
    Text(String),
}

impl Template {
    /// Reads a value; an error says what is wrong.
    pub(super) fn parse(value: &toml::Value) -> Result<Self, String> {
        let Some(text) = value.as_str().filter(|text| text.contains("{{") || text.contains("{%")) else {
            return Ok(Self::Literal(Value::from(Serde(value))));
        };
        if let Some(formula) = only_formula(text) {
            return Formula::parse(formula).map(Self::Formula);
        }
        scan::check(text, false)?;
        let template = ENVIRONMENT.template_from_str(text).map_err(|error| message(&error))?;
        known_variables(template.undeclared_variables(false))?;
        known_names(template.render(Value::UNDEFINED))?;
        Ok(Self::Text(text.to_owned()))
    }

    pub(super) fn render(&self, variables: &Value) -> Result<Value, String> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Formula(formula) => formula.eval(variables),
            Self::Text(text) => {
                let text = ENVIRONMENT.render_str(text, variables).map_err(|error| message(&error))?;
                bounds::bounded(Value::from(text))
            }
        }
    }
}

/// The inside of `{{ … }}` where the text is nothing else.
fn only_formula(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}") && !inside.contains("{%")).then_some(inside)
}

fn known_variables(used: impl IntoIterator<Item = String>) -> Result<(), String> {
    // Functions of minijinja itself count as undeclared too.
    let globals: Vec<String> = ENVIRONMENT.globals().map(|(name, _)| name.to_owned()).collect();
    let unknown =
        used.into_iter().find(|name| !VARIABLES.contains(&name.as_str()) && !globals.contains(name));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let mend = crate::mistake::nearest(&name, VARIABLES.into_iter());
            Err(format!("there is no variable `{name}`; {mend}"))
        }
    }
}

/// minijinja looks for filters, tests and functions only when it comes by: so it is tried once with nothing. Any other
/// failure of that means nothing.
fn known_names<T>(tried: Result<T, Error>) -> Result<(), String> {
    use ErrorKind::{UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
    match tried {
        Err(error)
            if matches!(error.kind(), UnknownFilter | UnknownFunction | UnknownMethod | UnknownTest) =>
        {
            Err(message(&error))
        }
        _ => Ok(()),
    }
}

/// What is wrong, without the template's made-up name.
fn message(error: &Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return "the template does too much: it is stopped after some ten thousand steps or 3 MB of text"
            .to_owned();
    }
    let mut text = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    if text.len() > MAX_MESSAGE {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
