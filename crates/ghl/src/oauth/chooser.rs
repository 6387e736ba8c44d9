//! The page on which a person lets an app in ("OAuth 2.0: Authorization", section 3).

use reqwest::Url;

use super::Scopes;
use crate::BoxError;

/// Where the page lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChooserHost {
    /// `https://marketplace.gohighlevel.com`
    #[default]
    Standard,
    /// `https://marketplace.leadconnectorhq.com`, without HighLevel's name on it.
    WhiteLabel,
    /// Another base URL, a simulated HighLevel's for one; a path in it is kept.
    Other(String),
}

impl ChooserHost {
    /// The base URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Standard => "https://marketplace.gohighlevel.com",
            Self::WhiteLabel => "https://marketplace.leadconnectorhq.com",
            Self::Other(base) => base,
        }
    }
}

/// Builds the URL to which the browser of whoever connects a location is sent.
///
/// The browser comes back to the redirect URI with `code` and `state`, or with `error`. **Compare `state`
/// with what was sent**, and refuse a return without it: whoever can make somebody's browser follow a link
/// could otherwise connect a location of his own.
#[derive(Clone, Debug)]
pub struct Chooser<'a> {
    host: ChooserHost,
    client_id: &'a str,
    redirect_uri: &'a str,
    scopes: &'a Scopes,
    state: &'a str,
    version_id: Option<&'a str>,
}

impl<'a> Chooser<'a> {
    /// The page for this app. `redirect_uri` is one of those that the app has in HighLevel's marketplace;
    /// `state` is a text that nobody can guess, good for this one attempt.
    pub fn new(client_id: &'a str, redirect_uri: &'a str, scopes: &'a Scopes, state: &'a str) -> Self {
        Self { host: ChooserHost::Standard, client_id, redirect_uri, scopes, state, version_id: None }
    }

    /// Another host than the standard one.
    #[must_use]
    pub fn host(mut self, host: ChooserHost) -> Self {
        self.host = host;
        self
    }

    /// The version of the app; newer apps may be asked for it (not documented).
    #[must_use]
    pub fn version_id(mut self, version_id: &'a str) -> Self {
        self.version_id = Some(version_id);
        self
    }

    /// The whole URL. A login, where one is needed, happens in the same tab (`loginWindowOpenMode=self`).
    pub fn url(&self) -> Result<String, ChooserError> {
        let mut url = absolute("base URL", self.host.as_str())?;
        let redirect = absolute("redirect URI", self.redirect_uri)?;
        if redirect.fragment().is_some() {
            // RFC 6749, section 3.1.2.
            return Err(unusable("redirect URI", self.redirect_uri, "it has a fragment (`#…`)".into()));
        }
        for (what, empty) in [
            ("client id", self.client_id.is_empty()),
            ("scope", self.scopes.is_empty()),
            ("state", self.state.is_empty()),
        ] {
            if empty {
                return Err(ChooserError::Missing { what });
            }
        }
        let path = format!("{}/v2/oauth/chooselocation", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(None);
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("client_id", self.client_id)
            .append_pair("scope", &self.scopes.to_string())
            .append_pair("state", self.state)
            .append_pair("loginWindowOpenMode", "self");
        if let Some(version_id) = self.version_id {
            url.query_pairs_mut().append_pair("version_id", version_id);
        }
        // Blanks as `%20`: every reader takes that for a blank, and not every one a plus. A real plus is
        // `%2B` by now.
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query));
        Ok(url.into())
    }
}

/// Why there is no URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChooserError {
    /// A URL that a browser cannot be sent to.
    #[error("the {what} `{url}` is not usable; give an absolute http or https URL")]
    Url {
        /// Which one.
        what: &'static str,
        /// What was given.
        url: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// Something that has to be there is empty.
    #[error("the {what} is missing")]
    Missing {
        /// What it is.
        what: &'static str,
    },
}

fn absolute(what: &'static str, text: &str) -> Result<Url, ChooserError> {
    let url = Url::parse(text).map_err(|source| unusable(what, text, source.into()))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(unusable(what, text, "it is neither http nor https".into()))
    }
}

fn unusable(what: &'static str, url: &str, source: BoxError) -> ChooserError {
    ChooserError::Url { what, url: url.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::Scope;

    const REDIRECT: &str = "https://myapp.com/oauth/callback/gohighlevel?shop=a b&x=1+1";

    fn scopes() -> Scopes {
        [Scope::CONTACTS_WRITE, Scope::CUSTOM_FIELDS_READONLY, Scope::CONTACTS_READONLY].into()
    }

    #[test]
    fn every_part_survives_the_way_through_a_browser() {
        let scopes = scopes();
        let url = Chooser::new("6578278e879ad2646715ba9c-lq1dq2xy", REDIRECT, &scopes, "a+b&c=d/%é")
            .version_id("6578278e879ad2646715ba9c")
            .url()
            .unwrap();
        assert!(
            url.starts_with(
                "https://marketplace.gohighlevel.com/v2/oauth/chooselocation?response_type=code&"
            )
        );
        let query = url.split_once('?').unwrap().1;
        assert!(!query.contains('+'), "a plus is a blank to some and a plus to others: {query}");
        let read: Vec<(String, String)> = Url::parse(&url).unwrap().query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("client_id", "6578278e879ad2646715ba9c-lq1dq2xy"),
            ("scope", "contacts.readonly contacts.write locations/customFields.readonly"),
            ("state", "a+b&c=d/%é"),
            ("loginWindowOpenMode", "self"),
            ("version_id", "6578278e879ad2646715ba9c"),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn the_host_is_the_standard_one_the_white_labels_or_any_other() {
        let scopes = scopes();
        let chooser = Chooser::new("id", "https://myapp.com/back", &scopes, "s");
        let at = |host| chooser.clone().host(host).url().unwrap();
        assert!(at(ChooserHost::WhiteLabel).starts_with("https://marketplace.leadconnectorhq.com/v2/oauth/"));
        for base in ["http://127.0.0.1:4100/ghl", "http://127.0.0.1:4100/ghl/"] {
            let url = at(ChooserHost::Other(base.to_owned()));
            assert!(url.starts_with("http://127.0.0.1:4100/ghl/v2/oauth/chooselocation?"), "{url}");
        }
    }

    #[test]
    fn what_no_browser_could_follow_is_refused() {
        let scopes = scopes();
        for redirect in ["/oauth/callback", "myapp.com/back", "javascript:alert(1)", "https://myapp.com/#x"] {
            let error = Chooser::new("id", redirect, &scopes, "s").url().unwrap_err();
            assert!(error.to_string().contains("redirect URI"), "{error}");
        }
        let host = ChooserHost::Other("nowhere".to_owned());
        let error = Chooser::new("id", "https://a.b", &scopes, "s").host(host).url().unwrap_err();
        assert!(error.to_string().contains("base URL"), "{error}");
        for (client_id, scopes, state, missing) in [
            ("", &scopes, "s", "client id"),
            ("id", &Scopes::new(), "s", "scope"),
            ("id", &scopes, "", "state"),
        ] {
            let error = Chooser::new(client_id, "https://a.b", scopes, state).url().unwrap_err();
            assert_eq!(error.to_string(), format!("the {missing} is missing"));
        }
    }
}
