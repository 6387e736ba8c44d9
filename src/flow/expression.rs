//! Expressions and templates in routes and mappings: minijinja, without files, without includes, bounded.
//!
//! A template is bounded three times: in what it may be made of ([`scan`]), in what it may spend while it runs (fuel: steps
//! and the bytes they make, 3.2 MB in all), and in what may come out of it ([`bounded`]). Customers' data is only ever a value,
//! never a template, unless an author says `render`.

mod bounds;
mod environment;
mod names;
mod needs;
mod scan;
mod text;
mod tree;

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Error, ErrorKind, Expression, Value};

use serde_json::Value as Json;

use super::filters;
use environment::ENVIRONMENT;
pub(super) use environment::check_rendered;
pub(super) use names::{Names, OF_ITEMS, VARIABLES, top};
pub(super) use needs::Needs;
pub(super) use text::Text;
pub(super) use tree::tree;

/// The longest message of a mistake, in bytes: it may quote a value.
const MAX_MESSAGE: usize = 500;

/// A condition, or a value that keeps its type.
#[derive(Debug)]
pub(super) struct Formula {
    expression: Expression<'static, 'static>,
    /// As it was written.
    pub(super) source: String,
    /// The variables that it looks at, as paths: `data.order.total`.
    pub(super) looks_at: Vec<String>,
    /// The variables that it may look at, filters included.
    pub(super) needs: Needs,
}

impl Formula {
    /// Compiles it; an error says what is wrong.
    pub(super) fn parse(source: &str, names: &Names) -> Result<Self, String> {
        if let Some(inside) = only_formula(source) {
            return Err(format!("no braces here: write `{}`", inside.trim()));
        }
        let with_hint = |what: String| what + hint(source);
        scan::check(source, true).map_err(with_hint)?;
        let expression = ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map_err(|error| with_hint(message(&error)))?;
        let looks_at = names.check(|nested| expression.undeclared_variables(nested))?;
        known_names(expression.eval(Value::UNDEFINED))?;
        let needs = Needs::of(source);
        Ok(Self { expression, source: source.trim().to_owned(), looks_at, needs })
    }

    pub(super) fn eval(&self, variables: &Value) -> Result<Value, String> {
        let value = self.expression.eval(variables).map_err(|error| message(&error));
        value.and_then(bounds::bounded).map_err(|what| located(&what, &self.source))
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
    Text(Box<Text>),
    /// A list with expressions somewhere in it.
    List(Vec<Template>),
    /// A table with expressions somewhere in it.
    Table(Vec<(String, Template)>),
}

impl Template {
    /// Reads a value; an error says what is wrong.
    pub(super) fn parse(value: &toml::Value, names: &Names) -> Result<Self, String> {
        if !is_dynamic(value) {
            return Ok(Self::Literal(Value::from(Serde(json_of(value)))));
        }
        match value {
            toml::Value::Array(items) => {
                items.iter().map(|item| Self::parse(item, names)).collect::<Result<_, _>>().map(Self::List)
            }
            toml::Value::Table(table) => {
                let fields = table.iter().map(|(name, value)| Ok((name.clone(), Self::parse(value, names)?)));
                fields.collect::<Result<_, _>>().map(Self::Table)
            }
            value => Self::text(value.as_str().unwrap_or_default(), names),
        }
    }

    fn text(text: &str, names: &Names) -> Result<Self, String> {
        if let Some(formula) = only_formula(text) {
            return Formula::parse(formula, names).map(Self::Formula);
        }
        Text::parse(text, names).map(Box::new).map(Self::Text)
    }

    /// The variables that it looks at, as paths.
    pub(super) fn looks_at(&self) -> Vec<String> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Formula(formula) => formula.looks_at.clone(),
            Self::Text(text) => text.looks_at.clone(),
            Self::List(items) => items.iter().flat_map(Self::looks_at).collect(),
            Self::Table(fields) => fields.iter().flat_map(|(_, value)| value.looks_at()).collect(),
        }
    }

    /// The variables that it may look at, filters included.
    pub(super) fn needs(&self) -> Needs {
        match self {
            Self::Literal(_) => Needs::default(),
            Self::Formula(formula) => formula.needs,
            Self::Text(text) => text.needs,
            Self::List(items) => items.iter().map(Self::needs).collect(),
            Self::Table(fields) => fields.iter().map(|(_, value)| value.needs()).collect(),
        }
    }

    pub(super) fn render(&self, variables: &Value) -> Result<Value, String> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Formula(formula) => formula.eval(variables),
            Self::Text(text) => text.render(variables),
            Self::List(items) => {
                let items = items.iter().map(|item| item.render(variables));
                Ok(items.collect::<Result<Vec<Value>, String>>()?.into())
            }
            Self::Table(fields) => {
                let mut rendered = BTreeMap::new();
                for (name, value) in fields {
                    let value = value.render(variables)?;
                    // What is missing is left out rather than sent as null.
                    if !value.is_undefined() {
                        rendered.insert(name.clone(), value);
                    }
                }
                Ok(Value::from(rendered))
            }
        }
    }
}

/// Whether an expression stands in it.
pub(super) fn is_dynamic(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.contains("{{") || text.contains("{%"),
        toml::Value::Array(items) => items.iter().any(is_dynamic),
        toml::Value::Table(table) => table.values().any(is_dynamic),
        _ => false,
    }
}

/// A value of the file as JSON; a time is its text.
pub(super) fn json_of(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::from(text.as_str()),
        toml::Value::Integer(number) => Json::from(*number),
        toml::Value::Float(number) => Json::from(*number),
        toml::Value::Boolean(flag) => Json::from(*flag),
        toml::Value::Datetime(time) => Json::from(time.to_string()),
        toml::Value::Array(items) => items.iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Json::Object(table.iter().map(|(name, value)| (name.clone(), json_of(value))).collect())
        }
    }
}

/// The inside of `{{ … }}` where the text is nothing else.
fn only_formula(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}") && !inside.contains("{%")).then_some(inside)
}

/// minijinja looks for filters, tests and functions only when it comes by: so it is tried once with nothing. Any other
/// failure of that means nothing.
fn known_names<T>(tried: Result<T, Error>) -> Result<(), String> {
    use ErrorKind::{UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
    match tried {
        Err(error) if error.kind() == UnknownFilter => Err(message(&error) + &like_filter(&error)),
        Err(error) if matches!(error.kind(), UnknownFunction | UnknownMethod | UnknownTest) => {
            Err(message(&error))
        }
        _ => Ok(()),
    }
}

/// Which filter was probably meant: minijinja words it as "filter mony is unknown".
fn like_filter(error: &Error) -> String {
    let unknown = error.detail().and_then(|detail| detail.split(' ').nth(1)).unwrap_or_default();
    match crate::mistake::most_like(unknown, filters::NAMES.into_iter()) {
        Some(like) => format!("; did you mean `{like}`? docs/filters.md lists them"),
        None => "; docs/filters.md lists them".to_owned(),
    }
}

/// What is said of an expression that cannot be read, where other languages write it so.
fn hint(source: &str) -> &'static str {
    // What stands in quotes is a text and no operator.
    let code: String = source.split(['\'', '"']).step_by(2).collect();
    let is_lone = |(at, _): (usize, &str)| {
        !code[..at].ends_with(['=', '!', '<', '>']) && !code[at + 1..].starts_with('=')
    };
    if code.contains("&&") {
        "; write `and` for `&&`"
    } else if code.contains("||") {
        "; write `or` for `||`"
    } else if code.match_indices('=').any(is_lone) {
        "; compare with `==`"
    } else {
        ""
    }
}

/// What is wrong, without the template's made-up name.
fn message(error: &Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return "it does too much, and is stopped after some ten thousand steps or 3 MB of text: make it simpler, or cut what it looks at, \
                as in `data.order.notes[:1000]`"
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

/// What is wrong, with the expression in which it is: of a long one the beginning.
fn located(what: &str, source: &str) -> String {
    const MOST: usize = 80;
    let cut = source.char_indices().nth(MOST).map(|(at, _)| at);
    match cut {
        Some(at) => format!("{what}, in `{}…`", &source[..at]),
        None => format!("{what}, in `{source}`"),
    }
}

#[cfg(test)]
mod tests;
