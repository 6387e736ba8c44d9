//! What a step does: an operation of the bridge's own, or a plain call of HighLevel's API by the catalogue.

use std::collections::BTreeMap;

use ghl::oauth::Scopes;
use jiff::Timestamp;
use minijinja::Value;
use toml::Spanned;

use super::call;
use super::expression::{Names, Template, is_dynamic};
use super::mistakes::Mistakes;
use super::operation::{ALL, Operation, Spec, scopes_of};
use super::parameters::Arguments;
use crate::mistake;

/// The parameters of a step as they are written.
pub(super) type Written = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// What a step does.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// The bridge's own: it knows the customer, his contact, and what was done before.
    Own(&'static Spec),
    /// A plain call.
    Call(&'static catalogue::Operation),
}

impl Action {
    /// The action of a name. Where both kinds have it, the bridge's own is meant unless `raw`.
    pub(super) fn find(name: &str, raw: bool) -> Option<Self> {
        let own = || ALL.iter().find(|spec| spec.name == name).map(Self::Own);
        let call = || catalogue::operation(name).map(Self::Call);
        if raw { call() } else { own().or_else(call) }
    }

    /// All names.
    pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
        let calls = catalogue::operations().iter().map(|operation| operation.name.as_str());
        ALL.iter().map(|spec| spec.name).chain(calls)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Own(spec) => spec.name,
            Self::Call(operation) => &operation.name,
        }
    }

    /// Whether it is done for the event's customer, with these parameters.
    pub(super) fn needs_customer(self, given: &[&str]) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Call(operation) => {
                let mut usual = call::usual(operation).into_iter();
                usual.any(|(name, usual)| usual == call::Usual::Contact && !given.contains(&name.as_str()))
            }
        }
    }

    /// What a token must allow for it.
    pub(super) fn scopes(self) -> Scopes {
        match self {
            Self::Own(spec) => spec.scopes(),
            Self::Call(operation) => scopes_of(operation),
        }
    }

    /// Reads the parameters of a step that does it.
    pub(super) fn read(
        self,
        operation: &Spanned<String>,
        written: &Written,
        names: &Names,
        mistakes: &mut Mistakes<'_>,
    ) -> BTreeMap<String, Template> {
        let mut with = BTreeMap::new();
        for (name, value) in written {
            if !self.knows(name, mistakes) {
                continue;
            }
            match Template::parse(value.get_ref(), names) {
                Ok(template) => {
                    for what in self.misfits(name.get_ref(), value.get_ref()) {
                        mistakes.at(value, what, "write it so, or as an expression: \"{{ … }}\"");
                    }
                    with.insert(name.get_ref().clone(), template);
                }
                Err(what) => {
                    mistakes.at(value, what, "see routes/README.md for what may stand between `{{` and `}}`");
                }
            }
        }
        let is_given = |needed: &str| written.keys().any(|name| name.get_ref() == needed);
        for (needed, words) in self.required().filter(|(needed, _)| !is_given(needed)) {
            let what = format!("`{}` needs `{needed}` ({words})", self.name());
            mistakes.at(operation, what, format!("add `{needed} = …` under `[step.with]`"));
        }
        with
    }

    fn knows(self, name: &Spanned<String>, mistakes: &mut Mistakes<'_>) -> bool {
        let known: Vec<&str> = match self {
            Self::Own(spec) => spec.parameters.iter().map(|parameter| parameter.name).collect(),
            Self::Call(operation) => call::names(operation),
        };
        if known.contains(&name.get_ref().as_str()) {
            return true;
        }
        let mend = match known.as_slice() {
            [] => "remove it: this operation takes none".to_owned(),
            known => mistake::nearest(name.get_ref(), known.iter().copied()),
        };
        mistakes.at(name, format!("`{}` has no parameter `{}`", self.name(), name.get_ref()), mend);
        false
    }

    /// What is wrong with a value as it stands in the file; expressions in it are looked at when they are rendered.
    fn misfits(self, name: &str, value: &toml::Value) -> Vec<String> {
        match self {
            Self::Own(spec) => {
                let is_expression = value.is_str() && is_dynamic(value);
                let misfit = spec.parameter(name).filter(|it| !is_expression && !Spec::takes(it.kind, value));
                misfit.map(|it| format!("`{}` must be {}", it.name, it.kind)).into_iter().collect()
            }
            Self::Call(operation) => call::misfits(operation, name, value),
        }
    }

    /// What must be given, and what it may be.
    pub(super) fn required(self) -> impl Iterator<Item = (String, String)> {
        let (own, calls) = match self {
            Self::Own(spec) => (Some(spec.parameters.iter().filter(|it| it.required)), None),
            Self::Call(operation) => (None, Some(call::required(operation))),
        };
        let own = own.into_iter().flatten().map(|it| (it.name.to_owned(), it.kind.to_string()));
        own.chain(calls.into_iter().flatten())
    }

    /// The operation with its rendered parameters; an error says what is wrong with which.
    pub(super) fn make(
        self,
        values: BTreeMap<String, Value>,
        occurred_at: Timestamp,
    ) -> Result<Operation, String> {
        match self {
            Self::Own(spec) => (spec.make)(&Arguments { values, occurred_at }),
            Self::Call(operation) => call::make(operation, values),
        }
    }
}
