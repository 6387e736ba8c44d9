//! Which operation a request means, and what its token needs: `paths` and `security` of contacts.json,
//! locations.json, users.json and oauth.json. Where a file names no scope, oauth-Scopes.md does. All others are
//! found in the catalogue.

use hyper::Method;

use super::{
    bulk,
    call::{Call, Outcome},
    contacts, custom_fields, documented, followers, journeys, lists, locations, notes, oauth, search, tags,
    tasks, users,
};

/// Whose token an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taker {
    Location,
    Company,
    Either,
    /// No token at all: the token endpoint itself.
    Anyone,
}

/// One operation.
pub(crate) struct Operation<'a> {
    pub(crate) scope: &'static str,
    pub(crate) taker: Taker,
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
    pub(crate) args: [&'a str; 2],
    /// The catalogue's description, for an operation whose form it tells.
    pub(crate) described: Option<&'static catalogue::Operation>,
}

const READ: &str = "contacts.readonly";
const WRITE: &str = "contacts.write";

/// The operation behind method and path; a slash at the end makes no difference.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Option<Operation<'a>> {
    own(method, path).or_else(|| documented::find(method, path))
}

/// Those whose form is written down here.
fn own<'a>(method: &Method, path: &'a str) -> Option<Operation<'a>> {
    let mut segments = [""; 6];
    let mut count = 0;
    for segment in path.trim_start_matches('/').trim_end_matches('/').split('/') {
        *segments.get_mut(count)? = segment;
        count += 1;
    }
    let segments = &segments[..count];
    match segments {
        ["contacts", rest @ ..] => contact(method.as_str(), rest),
        ["locations", rest @ ..] => location(method.as_str(), rest),
        ["users", rest @ ..] => user(method.as_str(), rest),
        ["oauth", rest @ ..] => token(method.as_str(), rest),
        _ => None,
    }
}

fn contact<'a>(method: &str, segments: &[&'a str]) -> Option<Operation<'a>> {
    let (scope, run, args): (_, fn(&mut Call<'_>) -> Outcome, _) = match (method, segments) {
        ("POST", []) => (WRITE, contacts::create, ["", ""]),
        ("GET", []) => (READ, lists::list, ["", ""]),
        ("POST", ["upsert"]) => (WRITE, contacts::upsert, ["", ""]),
        ("POST", ["search"]) => (READ, search::search, ["", ""]),
        ("GET", ["search", "duplicate"]) => (READ, contacts::duplicate, ["", ""]),
        ("GET", ["business", business]) => (READ, lists::of_business, [*business, ""]),
        ("POST", ["bulk", "business"]) => (WRITE, bulk::business, ["", ""]),
        ("POST", ["bulk", "tags", "update", kind]) => (WRITE, bulk::tags, [*kind, ""]),
        ("GET", [id]) => (READ, contacts::get, [*id, ""]),
        ("PUT", [id]) => (WRITE, contacts::update, [*id, ""]),
        ("DELETE", [id]) => (WRITE, contacts::delete, [*id, ""]),
        ("GET", [id, "tasks"]) => (READ, tasks::list, [*id, ""]),
        ("POST", [id, "tasks"]) => (WRITE, tasks::create, [*id, ""]),
        ("GET", [id, "tasks", task]) => (READ, tasks::get, [*id, *task]),
        ("PUT", [id, "tasks", task]) => (WRITE, tasks::update, [*id, *task]),
        ("DELETE", [id, "tasks", task]) => (WRITE, tasks::delete, [*id, *task]),
        ("PUT", [id, "tasks", task, "completed"]) => (WRITE, tasks::complete, [*id, *task]),
        ("GET", [id, "notes"]) => (READ, notes::list, [*id, ""]),
        ("POST", [id, "notes"]) => (WRITE, notes::create, [*id, ""]),
        ("GET", [id, "notes", note]) => (READ, notes::get, [*id, *note]),
        ("PUT", [id, "notes", note]) => (WRITE, notes::update, [*id, *note]),
        ("DELETE", [id, "notes", note]) => (WRITE, notes::delete, [*id, *note]),
        ("POST", [id, "tags"]) => (WRITE, tags::add, [*id, ""]),
        ("DELETE", [id, "tags"]) => (WRITE, tags::remove, [*id, ""]),
        ("GET", [id, "appointments"]) => (READ, journeys::appointments, [*id, ""]),
        ("POST", [id, "followers"]) => (WRITE, followers::add, [*id, ""]),
        ("DELETE", [id, "followers"]) => (WRITE, followers::remove, [*id, ""]),
        ("DELETE", [id, "campaigns", "removeAll"]) => (WRITE, journeys::leave_all_campaigns, [*id, ""]),
        ("POST", [id, "campaigns", campaign]) => (WRITE, journeys::join_campaign, [*id, *campaign]),
        ("DELETE", [id, "campaigns", campaign]) => (WRITE, journeys::leave_campaign, [*id, *campaign]),
        ("POST", [id, "workflow", workflow]) => (WRITE, journeys::join_workflow, [*id, *workflow]),
        ("DELETE", [id, "workflow", workflow]) => (WRITE, journeys::leave_workflow, [*id, *workflow]),
        _ => return None,
    };
    Some(Operation { scope, taker: Taker::Location, run, args, described: None })
}

fn location<'a>(method: &str, segments: &[&'a str]) -> Option<Operation<'a>> {
    const TAGS_READ: &str = "locations/tags.readonly";
    const TAGS_WRITE: &str = "locations/tags.write";
    const FIELDS_READ: &str = "locations/customFields.readonly";
    const FIELDS_WRITE: &str = "locations/customFields.write";
    let (scope, run, args): (_, fn(&mut Call<'_>) -> Outcome, _) = match (method, segments) {
        // An operation of its own.
        ("GET", ["search"]) => return None,
        ("GET", [id]) => {
            let args = [*id, ""];
            return Some(Operation {
                scope: "locations.readonly",
                taker: Taker::Either,
                run: locations::get,
                args,
                described: None,
            });
        }
        ("POST", [id, "tasks", "search"]) => ("locations/tasks.readonly", tasks::search, [*id, ""]),
        ("GET", [id, "tags"]) => (TAGS_READ, locations::tags, [*id, ""]),
        ("POST", [id, "tags"]) => (TAGS_WRITE, locations::create_tag, [*id, ""]),
        ("GET", [id, "tags", tag]) => (TAGS_READ, locations::tag, [*id, *tag]),
        ("PUT", [id, "tags", tag]) => (TAGS_WRITE, locations::rename_tag, [*id, *tag]),
        ("DELETE", [id, "tags", tag]) => (TAGS_WRITE, locations::delete_tag, [*id, *tag]),
        ("GET", [id, "customFields"]) => (FIELDS_READ, custom_fields::list, [*id, ""]),
        ("POST", [id, "customFields"]) => (FIELDS_WRITE, custom_fields::create, [*id, ""]),
        ("GET", [id, "customFields", field]) => (FIELDS_READ, custom_fields::get, [*id, *field]),
        ("PUT", [id, "customFields", field]) => (FIELDS_WRITE, custom_fields::update, [*id, *field]),
        ("DELETE", [id, "customFields", field]) => (FIELDS_WRITE, custom_fields::delete, [*id, *field]),
        _ => return None,
    };
    Some(Operation { scope, taker: Taker::Location, run, args, described: None })
}

fn user<'a>(method: &str, segments: &[&'a str]) -> Option<Operation<'a>> {
    let (taker, run, args): (_, fn(&mut Call<'_>) -> Outcome, _) = match (method, segments) {
        ("GET", []) => (Taker::Location, users::of_location, ["", ""]),
        ("GET", ["search"]) => (Taker::Either, users::search, ["", ""]),
        ("GET", [id]) => (Taker::Either, users::get, [*id, ""]),
        _ => return None,
    };
    Some(Operation { scope: "users.readonly", taker, run, args, described: None })
}

fn token<'a>(method: &str, segments: &[&'a str]) -> Option<Operation<'a>> {
    let (scope, taker, run): (_, _, fn(&mut Call<'_>) -> Outcome) = match (method, segments) {
        ("POST", ["token"]) => ("", Taker::Anyone, oauth::token),
        ("POST", ["locationToken"]) => ("oauth.write", Taker::Company, oauth::location_token),
        ("GET", ["installedLocations"]) => ("oauth.readonly", Taker::Company, oauth::installed_locations),
        _ => return None,
    };
    Some(Operation { scope, taker, run, args: ["", ""], described: None })
}
