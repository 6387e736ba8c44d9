//! Expressions and templates in routes: minijinja, without files, without includes, bounded.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Expression, State, UndefinedBehavior, Value, context};
use serde_json::Value as Json;

/// What one template may spend: some ten thousand steps of its machine. The largest of the shipped ones takes a hundred.
const FUEL: u64 = 50_000;

/// The variables that every expression of a route may use.
pub(super) const VARIABLES: [&str; 7] =
    ["connection", "contact", "data", "event", "settings", "store", "today"];

/// The variables of a step with `for_each`: the item, and its number from 0.
pub(super) const OF_ITEMS: [&str; 2] = ["item", "index"];

/// The longest text that an expression may give, in bytes: as much as a webhook may bring.
const LONGEST: usize = 1024 * 1024;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // Missing values are the rule with CS-Cart: they read as empty, however deep.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("render", render);
    environment
});

/// What an expression may name at its place in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// What steps before it have saved.
    pub(super) saved: Vec<String>,
    /// What steps of the route save at all, with the step: for whoever names one too early.
    pub(super) all_saved: Vec<(String, String)>,
    /// Whether the step goes through a list.
    pub(super) items: bool,
}

impl Names {
    fn known(&self) -> impl Iterator<Item = &str> + Clone {
        let items = OF_ITEMS.iter().copied().filter(|_| self.items);
        VARIABLES.into_iter().chain(items).chain(self.saved.iter().map(String::as_str))
    }

    /// Makes sure that every name is known; an error says what is wrong.
    fn check(&self, used: impl IntoIterator<Item = String>) -> Result<(), String> {
        // Functions of minijinja itself count as undeclared too.
        let is_unknown = |name: &String| {
            !self.known().any(|known| known == name) && !ENVIRONMENT.globals().any(|(known, _)| known == name)
        };
        let mut unknown: Vec<String> = used.into_iter().filter(is_unknown).collect();
        unknown.sort();
        let Some(name) = unknown.first() else { return Ok(()) };
        if let Some((_, step)) = self.all_saved.iter().find(|(saved, _)| saved == name) {
            return Err(format!(
                "`{name}` is not known yet: step `{step}` saves it, and does not come before"
            ));
        }
        if OF_ITEMS.contains(&name.as_str()) {
            return Err(format!("there is no variable `{name}`: only a step with `for_each` has it"));
        }
        let mend = crate::mistake::nearest(name, self.known());
        Err(format!("there is no variable `{name}`; {mend}"))
    }

    /// Those of `nested` (`data.order.total`, `range`) that are variables, sorted.
    fn variables(&self, nested: HashSet<String>) -> Vec<String> {
        let is_variable = |path: &String| self.known().any(|known| known == top(path));
        let mut variables: Vec<String> = nested.into_iter().filter(is_variable).collect();
        variables.sort();
        variables
    }
}

/// The variable of a path: `data` of `data.order.total`.
pub(super) fn top(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Renders a text that is itself a template, such as the welcome task's title from the settings.
fn render(state: &State<'_, '_>, template: String) -> Result<String, Error> {
    let variable = |name| state.lookup(name).unwrap_or_default();
    ENVIRONMENT.render_str(
        &template,
        context! {
            connection => variable("connection"), contact => variable("contact"), data => variable("data"),
            event => variable("event"), store => variable("store"),
        },
    )
}

/// A condition, or a value that keeps its type.
#[derive(Debug)]
pub(super) struct Formula {
    expression: Expression<'static, 'static>,
    /// As it was written.
    pub(super) source: String,
    /// The variables that it looks at, as paths: `data.order.total`.
    pub(super) looks_at: Vec<String>,
}

impl Formula {
    /// Compiles it; an error says what is wrong.
    pub(super) fn parse(source: &str, names: &Names) -> Result<Self, String> {
        let expression =
            ENVIRONMENT.compile_expression_owned(source.to_owned()).map_err(|error| message(&error))?;
        names.check(expression.undeclared_variables(false))?;
        known_names(expression.eval(Value::UNDEFINED))?;
        let looks_at = names.variables(expression.undeclared_variables(true));
        Ok(Self { expression, source: source.trim().to_owned(), looks_at })
    }

    pub(super) fn eval(&self, variables: &Value) -> Result<Value, String> {
        self.expression.eval(variables).map_err(|error| message(&error)).and_then(not_too_long)
    }
}

/// A value of a step's parameter.
#[derive(Debug)]
pub(super) enum Template {
    /// It stands in the file as it is.
    Literal(Value),
    /// `"{{ expression }}"` and nothing else: the value keeps its type.
    Formula(Formula),
    /// Text with expressions in it, and what they look at.
    Text(String, Vec<String>),
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
        let template = ENVIRONMENT.template_from_str(text).map_err(|error| message(&error))?;
        names.check(template.undeclared_variables(false))?;
        known_names(template.render(Value::UNDEFINED))?;
        let looks_at = names.variables(template.undeclared_variables(true));
        Ok(Self::Text(text.to_owned(), looks_at))
    }

    /// The variables that it looks at, as paths.
    pub(super) fn looks_at(&self) -> Vec<String> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Formula(formula) => formula.looks_at.clone(),
            Self::Text(_, looks_at) => looks_at.clone(),
            Self::List(items) => items.iter().flat_map(Self::looks_at).collect(),
            Self::Table(fields) => fields.iter().flat_map(|(_, value)| value.looks_at()).collect(),
        }
    }

    pub(super) fn render(&self, variables: &Value) -> Result<Value, String> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Formula(formula) => formula.eval(variables),
            Self::Text(text, _) => {
                let text = ENVIRONMENT.render_str(text, variables).map_err(|error| message(&error))?;
                not_too_long(Value::from(text))
            }
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

fn not_too_long(value: Value) -> Result<Value, String> {
    match value.as_str().map(str::len) {
        Some(length) if length > LONGEST => Err(format!(
            "it is a text of {length} bytes, and {LONGEST} are the most: cut it, as in `data.order.notes[:1000]`"
        )),
        _ => Ok(value),
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
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Result<Template, String> {
        Template::parse(&toml::Value::String(text.to_owned()), &Names::default())
    }

    #[test]
    fn a_lone_expression_keeps_its_type() {
        let variables = context! { data => context! { tags => vec!["a", "b"] }, settings => context! { tags => vec!["c"] } };
        let tags = template("{{ data.tags + settings.tags }}").unwrap().render(&variables).unwrap();
        assert_eq!(tags.try_iter().unwrap().map(|tag| tag.to_string()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let text = template("{{ data.tags[0] }} and {{ data.user.missing.deeper }}")
            .unwrap()
            .render(&variables)
            .unwrap();
        assert_eq!(text.as_str(), Some("a and "));
    }

    #[test]
    fn an_unknown_variable_or_filter_is_found_when_the_route_is_read() {
        assert!(template("{{ contct.email }}").unwrap_err().contains("did you mean `contact`?"));
        assert!(template("{{ contact.email | shout }}").is_err());
        assert!(template("{{ contact.email").is_err());
    }

    #[test]
    fn a_list_or_a_table_may_have_expressions_in_it() {
        let value: toml::Table =
            "x = [{ id = 'a', value = '{{ data.total }}' }, 'no {{ data.id }}']".parse().unwrap();
        let template = Template::parse(&value["x"], &Names::default()).unwrap();
        assert_eq!(template.looks_at(), ["data.total", "data.id"]);
        let variables = context! { data => context! { total => 5, id => 7 } };
        let json = serde_json::to_value(template.render(&variables).unwrap()).unwrap();
        assert_eq!(json, serde_json::json!([{ "id": "a", "value": 5 }, "no 7"]));
    }

    #[test]
    fn what_is_saved_later_is_told_from_what_is_never_saved() {
        let names = Names { all_saved: vec![("deal".into(), "make-deal".into())], ..Names::default() };
        let parse = |names: &Names| Formula::parse("deal.id", names).map(|formula| formula.looks_at);
        assert_eq!(
            parse(&names).unwrap_err(),
            "`deal` is not known yet: step `make-deal` saves it, and does not come before"
        );
        assert_eq!(parse(&Names { saved: vec!["deal".into()], ..names }).unwrap(), ["deal.id"]);
        let item = Formula::parse("item.id", &Names::default()).unwrap_err();
        assert_eq!(item, "there is no variable `item`: only a step with `for_each` has it");
    }

    #[test]
    fn a_text_that_is_far_too_long_is_refused() {
        let variables = context! { data => context! { body => "x".repeat(10 * 1024 * 1024) } };
        for text in ["{{ data.body }}", "a {{ data.body }}"] {
            let error = template(text).unwrap().render(&variables).unwrap_err();
            assert!(error.contains("cut it"), "{error}");
        }
    }

    #[test]
    fn a_setting_may_be_a_template() {
        let variables = context! { settings => context! { title => "Hello {{ contact.name }}" }, contact => context! { name => "Ada" } };
        assert_eq!(
            template("{{ settings.title | render }}").unwrap().render(&variables).unwrap().as_str(),
            Some("Hello Ada")
        );
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(template(endless).unwrap().render(&context! {}).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            if let Ok(template) = template(&text) {
                let _ = template.render(&context! {});
            }
        }
    }
}
