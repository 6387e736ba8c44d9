//! Expressions and templates in routes: minijinja, without files, without includes, bounded.

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Expression, State, UndefinedBehavior, Value, context};

/// What one template may spend: some ten thousand steps of its machine. The largest of the shipped ones takes a hundred.
const FUEL: u64 = 50_000;

/// The variables that a route may use.
pub(super) const VARIABLES: [&str; 7] =
    ["connection", "contact", "data", "event", "settings", "store", "today"];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    // Missing values are the rule with CS-Cart: they read as empty, however deep.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("render", render);
    environment
});

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
pub(super) struct Formula(Expression<'static, 'static>);

impl Formula {
    /// Compiles it; an error says what is wrong.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let expression =
            ENVIRONMENT.compile_expression_owned(source.to_owned()).map_err(|error| message(&error))?;
        known_variables(expression.undeclared_variables(false))?;
        known_names(expression.eval(Value::UNDEFINED))?;
        Ok(Self(expression))
    }

    pub(super) fn eval(&self, variables: &Value) -> Result<Value, String> {
        self.0.eval(variables).map_err(|error| message(&error))
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
                ENVIRONMENT.render_str(text, variables).map(Value::from).map_err(|error| message(&error))
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
        Template::parse(&toml::Value::String(text.to_owned()))
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
