//! Lists: envelope, pages, sorting, and `MySQL`'s LIKE.

use serde_json::{Value, json};

use super::state::Row;
use crate::serve::request::Request;

/// The setting "admin elements per page".
const DEFAULT_PER_PAGE: u64 = 10;

/// `{"<name>": [...], "params": {...}}`. A page past the end is the last page again (`db_get_valid_page`); zero or
/// a negative number per page is the default; there is no upper limit. `show` is what of a row the page has.
pub(super) fn envelope(
    request: &Request,
    name: &str,
    rows: &[&Row],
    show: impl Fn(&Row) -> Row,
    sort: (&str, &str),
) -> Value {
    let number = |name: &str| request.parameter(name).and_then(|it| it.parse::<i64>().ok());
    let per_page = number("items_per_page").filter(|it| *it > 0).map_or(DEFAULT_PER_PAGE, |it| it as u64);
    let total = rows.len() as u64;
    let last = total.div_ceil(per_page).max(1);
    let page = number("page").filter(|it| *it > 0).map_or(1, |it| it as u64).min(last);
    let on_page = rows.iter().skip(((page - 1) * per_page) as usize).take(per_page as usize);
    let shown: Vec<Row> = on_page.map(|row| show(row)).collect();
    let mut params = json!({});
    for (key, value) in &request.query {
        if key != "_d" && key != "ajax_custom" && !key.contains('[') {
            params[key] = json!(value);
        }
    }
    params["page"] = json!(page);
    params["items_per_page"] = json!(per_page.to_string());
    params["total_items"] = json!(total.to_string());
    params["sort_by"] = json!(sort.0);
    params["sort_order"] = json!(sort.1);
    json!({ name: shown, "params": params })
}

/// All values of a list parameter: `ids[]=1&ids[]=2`, `ids[0]=1`, or a plain `ids=1`.
pub(super) fn list<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    let named = |key: &str| {
        key.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with('[') && rest.ends_with(']')))
    };
    request.query.iter().filter(|(key, _)| named(key)).map(|(_, value)| value.as_str()).collect()
}

/// `LIKE '%pattern%'` as `MySQL` reads it: without case; `%` and `_` inside the pattern are wildcards.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = format!("%{}%", pattern.to_lowercase()).chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut percent: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&'%') {
            percent = Some((at, from));
            at += 1;
        } else if pattern.get(at).is_some_and(|it| *it == '_' || *it == text[from]) {
            at += 1;
            from += 1;
        } else if let Some((percent_at, percent_from)) = percent {
            percent = Some((percent_at, percent_from + 1));
            at = percent_at + 1;
            from = percent_from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|it| *it == '%')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_finds_parts_without_case_and_takes_an_underscore_for_any_character() {
        assert!(like("Rosan@Deos.com", "rosan@deos.com"));
        assert!(like("x-rosan@deos.com", "rosan@deos.com"));
        assert!(like("aXb@deos.com", "a_b@deos.com"));
        assert!(!like("rosan@deos.com", "anna"));
        assert!(like("anything", ""));
    }
}
