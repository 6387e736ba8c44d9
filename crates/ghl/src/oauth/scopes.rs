//! What a token may do ("OAuth 2.0: Scopes", oauth-Scopes.md).

use std::{borrow::Cow, collections::BTreeSet, convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// One scope, as in `contacts.readonly`. Those that no constant names are read by [`FromStr`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(Cow<'static, str>);

macro_rules! scopes {
    ($($name:ident = $text:literal;)+) => {
        impl Scope {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self(Cow::Borrowed($text));)+
        }
    };
}

scopes! {
    BUSINESSES_READONLY = "businesses.readonly";
    BUSINESSES_WRITE = "businesses.write";
    CALENDAR_EVENTS_READONLY = "calendars/events.readonly";
    CONTACTS_READONLY = "contacts.readonly";
    CONTACTS_WRITE = "contacts.write";
    CUSTOM_FIELDS_READONLY = "locations/customFields.readonly";
    CUSTOM_FIELDS_WRITE = "locations/customFields.write";
    LOCATIONS_READONLY = "locations.readonly";
    LOCATION_TAGS_READONLY = "locations/tags.readonly";
    LOCATION_TAGS_WRITE = "locations/tags.write";
    LOCATION_TASKS_READONLY = "locations/tasks.readonly";
    OAUTH_READONLY = "oauth.readonly";
    OAUTH_WRITE = "oauth.write";
    OPPORTUNITIES_READONLY = "opportunities.readonly";
    OPPORTUNITIES_WRITE = "opportunities.write";
    USERS_READONLY = "users.readonly";
    WORKFLOWS_READONLY = "workflows.readonly";
}

impl Scope {
    /// HighLevel's word. Capitals matter: `locations/customFields.readonly`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is not one scope: empty, or with a blank or a comma in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one scope; give a word such as `contacts.readonly`")]
pub struct NotAScope {
    text: String,
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        if text.is_empty() || text.contains(is_separator) {
            return Err(NotAScope { text: text.to_owned() });
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

/// A set of scopes: no order, none twice.
///
/// Read from text with blanks or commas between them, in any order and number. Written sorted, with one
/// blank between two, as the chooser wants them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// No scope at all.
    pub const fn new() -> Self {
        Self(BTreeSet::new())
    }

    /// Whether this scope is among them. `contacts.write` does not include `contacts.readonly`.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// What of `needed` is not among them; empty when nothing is missing.
    #[must_use]
    pub fn missing(&self, needed: &Self) -> Self {
        Self(needed.0.difference(&self.0).cloned().collect())
    }

    /// These and those.
    #[must_use]
    pub fn union(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromStr for Scopes {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let words = text.split(is_separator).filter(|word| !word.is_empty());
        Ok(words.map(|word| Scope(Cow::Owned(word.to_owned()))).collect())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl<const N: usize> From<[Scope; N]> for Scopes {
    fn from(scopes: [Scope; N]) -> Self {
        scopes.into_iter().collect()
    }
}

impl Extend<Scope> for Scopes {
    fn extend<I: IntoIterator<Item = Scope>>(&mut self, scopes: I) {
        self.0.extend(scopes);
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    /// From text, from a list of texts, or none from null.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::new()),
            Value::String(text) => Ok(read(&text)),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                Ok(items.iter().filter_map(Value::as_str).flat_map(|text| read(text).0).collect())
            }
            _ => Err(de::Error::custom("scopes are text with blanks between them, or a list")),
        }
    }
}

fn read(text: &str) -> Scopes {
    let Ok(scopes) = text.parse();
    scopes
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c == ','
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_doubles_and_separators_do_not_matter() {
        let one: Scopes = "contacts.write  contacts.readonly".parse().unwrap();
        let other: Scopes = " contacts.readonly,contacts.write,\n contacts.write ".parse().unwrap();
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "contacts.readonly contacts.write");
        assert_eq!(one, Scopes::from([Scope::CONTACTS_WRITE, Scope::CONTACTS_READONLY]));
        assert!("  , ".parse::<Scopes>().unwrap().is_empty());
    }

    #[test]
    fn what_is_missing_is_named_and_a_union_lacks_nothing() {
        let granted = Scopes::from([Scope::CONTACTS_READONLY, Scope::USERS_READONLY]);
        let needed = Scopes::from([Scope::CONTACTS_READONLY, Scope::CONTACTS_WRITE]);
        assert_eq!(granted.missing(&needed).to_string(), "contacts.write");
        assert!(granted.union(&needed).missing(&needed).is_empty());
        assert_eq!(granted.union(&needed).len(), 3);
        assert!(granted.contains(&Scope::USERS_READONLY) && !granted.contains(&Scope::CONTACTS_WRITE));
    }

    #[test]
    fn capitals_matter_and_one_scope_is_one_word() {
        assert_ne!("locations/customfields.readonly".parse(), Ok(Scope::CUSTOM_FIELDS_READONLY));
        for text in ["", "a b", "a,b", "a\n"] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_gives_them_as_text_or_as_a_list() {
        let expected = Scopes::from([Scope::CONTACTS_READONLY, Scope::CONTACTS_WRITE]);
        for json in [
            r#""contacts.write contacts.readonly""#,
            r#"["contacts.readonly","contacts.write"]"#,
            r#"["contacts.readonly contacts.write"]"#,
        ] {
            assert_eq!(serde_json::from_str::<Scopes>(json).unwrap(), expected, "{json}");
        }
        assert_eq!(serde_json::to_string(&expected).unwrap(), r#""contacts.readonly contacts.write""#);
        assert!(serde_json::from_str::<Scopes>("7").is_err());
    }
}
