//! Reading one file.

use std::collections::HashSet;
use std::sync::Arc;

use toml::Spanned;

use super::{OnError, Route, Step, choose};
use crate::flow::action::Action;
use crate::flow::delay::Delay;
use crate::flow::expression::{Formula, Names, Needs, OF_ITEMS, Template, VARIABLES};
use crate::flow::mistakes::Mistakes;
use crate::flow::route_file::{RouteFile, StepTable};
use crate::flow::schedule::{self, Schedule};
use crate::flow::trigger;
use crate::mistake::{self, Mistake};

/// What a condition may look like.
const CONDITION: &str = "write a condition such as `data.user.status == 'A'`";

/// What a list may look like.
const LIST: &str = "write an expression that gives a list, such as `data.order.products`";

/// Words of minijinja that cannot be variables.
const WORDS: [&str; 12] =
    ["true", "false", "none", "not", "and", "or", "in", "is", "if", "else", "loop", "self"];

/// Reads a file; answers all its mistakes.
pub(super) fn read(file: &str, content: &[u8]) -> Result<Route, Vec<Mistake>> {
    let text = text_of(file, content).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Mistakes { file, text, found: Vec::new() };
    let id = file.strip_suffix(".toml").unwrap_or(file);
    if !is_id(id) {
        mistakes.note(
            None,
            format!("`{id}` cannot name a route"),
            "call the file with a-z, 0-9 and `-` only",
        );
    }
    let written: RouteFile = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            let mend = mistake::mend_of_field(error.message())
                .or_else(|| mend_of_trigger(text, &error))
                .unwrap_or_else(|| "see routes/README.md".into());
            mistakes.note(error.span().map(|span| span.start), error.message(), mend);
            return Err(mistakes.found);
        }
    };
    let known = trigger::all();
    for on in &written.on {
        if !known.contains(on.get_ref()) {
            let mend = match mistake::most_like(on.get_ref(), known.iter().map(String::as_str)) {
                Some(like) => format!("did you mean `{like}`?"),
                None => "`cartbridge catalogue` lists them all".to_owned(),
            };
            mistakes.at(on, format!("there is no trigger `{}`", on.get_ref()), mend);
        }
    }
    if written.on.is_empty() {
        mistakes.note(
            None,
            "`on` names no trigger",
            "name at least one, such as \"cscart.customer.created\"",
        );
    }
    if written.enabled && written.step.is_empty() {
        mistakes.note(None, "the route has no step, and does nothing", "add a `[[step]]`");
    }
    let when = mistakes.formula(written.when.as_ref(), &Names::default(), CONDITION);
    let schedule = read_schedule(&written, &mut mistakes);
    let saved = |step: &StepTable| Some((step.save_as.clone()?.into_inner(), step.id.get_ref().clone()));
    let mut names = Names { all_saved: written.step.iter().filter_map(saved).collect(), ..Names::default() };
    let mut ids = HashSet::new();
    let mut steps = Vec::new();
    for table in &written.step {
        let step = read_step(table, &mut ids, &names, &mut mistakes);
        if let Some(step) = &step {
            has_its_customer(step, &written.on, table, &mut mistakes);
        }
        steps.extend(step);
        if let Some(name) = &table.save_as {
            may_be_saved(name, &names, &mut mistakes);
            names.saved.push(name.get_ref().clone());
        }
    }
    if mistakes.found.is_empty() {
        let on = written.on.into_iter().map(Spanned::into_inner).collect();
        Ok(Route {
            id: id.to_owned(),
            description: written.description,
            enabled: written.enabled,
            on,
            schedule,
            version: choose::version_of(content),
            needs: when
                .iter()
                .map(|when| when.needs)
                .chain(steps.iter().map(|step: &Step| step.needs))
                .collect(),
            when: when.map(Arc::new),
            steps: steps.into(),
        })
    } else {
        Err(mistakes.found)
    }
}

/// `on` has a list, also of one trigger.
fn mend_of_trigger(text: &str, error: &toml::de::Error) -> Option<String> {
    let span = error.span()?;
    let line = text.get(..span.start)?.rsplit('\n').next()?;
    let is_on = line.trim_end().strip_suffix('=')?.trim() == "on";
    is_on.then(|| format!("write `on = [{}]`", text.get(span).unwrap_or_default()))
}

/// No customer belongs to what the clock alone sets off. A condition may keep the step from being done.
fn has_its_customer(step: &Step, on: &[Spanned<String>], table: &StepTable, mistakes: &mut Mistakes<'_>) {
    let only_the_clock = !on.is_empty() && on.iter().all(|on| on.get_ref() == Schedule::TRIGGER);
    let given: Vec<&str> = step.with.keys().map(String::as_str).collect();
    if only_the_clock && step.condition.is_none() && step.action.needs_customer(&given) {
        mistakes.at(
            &table.operation,
            format!("`{}` needs a customer, and none belongs to `schedule`", step.action.name()),
            "run the route on \"schedule.customer\": for each customer for whom `when` holds",
        );
    }
}

/// When the route runs by itself, which is for its triggers of that kind to say.
fn read_schedule(written: &RouteFile, mistakes: &mut Mistakes<'_>) -> Option<Schedule> {
    let scheduled = written.on.iter().find(|on| schedule::TRIGGERS.contains(&on.get_ref().as_str()));
    match (scheduled, &written.every, &written.at) {
        (None, None, None) => None,
        (None, Some(key), _) | (None, None, Some(key)) => {
            let mend = "name \"schedule\" or \"schedule.customer\" in `on`, or remove this key";
            mistakes.at(key, "only a route with a schedule has this key", mend);
            None
        }
        (Some(on), None, _) => {
            mistakes.at(on, "it is not said how often the route runs", "add `every = \"1d\"`");
            None
        }
        (Some(_), Some(every), at) => {
            match Schedule::parse(every.get_ref(), at.as_ref().map(|at| at.get_ref().as_str())) {
                Ok(schedule) => Some(schedule),
                Err(flaw) => {
                    let place = at.as_ref().filter(|_| flaw.of_at).unwrap_or(every);
                    mistakes.at(place, flaw.what, flaw.mend);
                    None
                }
            }
        }
    }
}

/// The file as text, without the mark that some editors put before it.
fn text_of<'a>(file: &str, content: &'a [u8]) -> Result<&'a str, Mistake> {
    let mistake = |what: String, mend: &str| Mistake {
        place: file.to_owned(),
        position: None,
        what,
        mend: mend.to_owned(),
    };
    if content.len() > Route::LARGEST {
        let what = format!("it is longer than {} KiB, the most for a route", Route::LARGEST / 1024);
        return Err(mistake(what, "keep long texts out of it: fetch or shorten them"));
    }
    let text = std::str::from_utf8(content).map_err(|error| {
        let good = std::str::from_utf8(content.get(..error.valid_up_to()).unwrap_or_default());
        let (line, column) = mistake::position(good.unwrap_or_default(), error.valid_up_to());
        Mistake {
            position: Some((line, column)),
            ..mistake(
                format!("it is not UTF-8 from byte {} on", error.valid_up_to()),
                "save it as UTF-8 in the editor",
            )
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn read_step<'a>(
    written: &'a StepTable,
    ids: &mut HashSet<&'a str>,
    names: &Names,
    mistakes: &mut Mistakes<'_>,
) -> Option<Step> {
    let id = written.id.get_ref().as_str();
    if !is_id(id) {
        mistakes.at(&written.id, format!("`{id}` cannot name a step"), "use a-z, 0-9 and `-` only");
    }
    if !ids.insert(id) {
        mistakes.at(&written.id, format!("two steps are called `{id}`"), "give each a name of its own");
    }
    let delay = read_delay(written, names, mistakes);
    let for_each = mistakes.formula(written.for_each.as_ref(), names, LIST);
    let names = &Names { items: written.for_each.is_some(), ..names.clone() };
    let condition = mistakes.formula(written.condition.as_ref(), names, CONDITION);
    let on_error = read_on_error(written, mistakes);
    let action = read_action(written, mistakes)?;
    let with = action.read(&written.operation, &written.with, names, mistakes);
    let formulas = [&condition, &for_each].into_iter().flatten();
    let mut looks_at: Vec<String> = formulas
        .flat_map(|formula| formula.looks_at.iter().cloned())
        .chain(with.values().flat_map(Template::looks_at))
        .filter(|path| !OF_ITEMS.contains(&crate::flow::expression::top(path)))
        .collect();
    looks_at.sort();
    looks_at.dedup();
    let needs = needs(&[&condition, &for_each], delay.as_ref(), with.values());
    Some(Step {
        id: id.to_owned(),
        action,
        delay,
        condition,
        for_each,
        save_as: written.save_as.as_ref().map(|name| name.get_ref().clone()),
        on_error,
        with,
        looks_at,
        needs,
    })
}

/// The variables that a step may look at, its wait included.
fn needs<'a>(
    formulas: &[&Option<Formula>],
    delay: Option<&Delay>,
    with: impl Iterator<Item = &'a Template>,
) -> Needs {
    let formulas = formulas.iter().copied().flatten().map(|formula| formula.needs);
    formulas.chain(delay.map(Delay::needs)).chain(with.map(Template::needs)).collect()
}

fn read_action(written: &StepTable, mistakes: &mut Mistakes<'_>) -> Option<Action> {
    let wanted = written.operation.get_ref();
    let raw = written.raw.as_ref().filter(|raw| *raw.get_ref());
    let action = Action::find(wanted, raw.is_some());
    match (action, raw) {
        (None, Some(raw)) if Action::find(wanted, false).is_some() => {
            let what = format!("`{wanted}` is the bridge's own and no plain call of HighLevel's");
            mistakes.at(raw, what, "remove `raw`");
        }
        (None, _) => {
            let mend = match mistake::most_like(wanted, Action::names()) {
                Some(like) => format!("did you mean `{like}`?"),
                None => "`cartbridge catalogue WORD` searches for one".to_owned(),
            };
            mistakes.at(&written.operation, format!("there is no operation `{wanted}`"), mend);
        }
        (Some(_), _) => {}
    }
    action
}

fn read_on_error(written: &StepTable, mistakes: &mut Mistakes<'_>) -> OnError {
    let Some(word) = &written.on_error else { return OnError::Stop };
    if let Some((_, on_error)) = OnError::ALL.into_iter().find(|(known, _)| known == word.get_ref()) {
        return on_error;
    }
    let mend = mistake::nearest(word.get_ref(), OnError::ALL.into_iter().map(|(known, _)| known));
    mistakes.at(word, format!("`on_error` cannot be `{}`", word.get_ref()), mend);
    OnError::Stop
}

fn read_delay(written: &StepTable, names: &Names, mistakes: &mut Mistakes<'_>) -> Option<Delay> {
    if let (Some(_), Some(until)) = (&written.delay, &written.delay_until) {
        mistakes.at(until, "a step has `delay` or `delay_until`, not both", "remove one of them");
        return None;
    }
    let value = written.delay.as_ref().or(written.delay_until.as_ref());
    let restart = written.restart.as_ref().filter(|restart| *restart.get_ref());
    let Some(value) = value else {
        if let Some(restart) = restart {
            mistakes.at(
                restart,
                "`restart` is about a wait, and the step has none",
                "add `delay`, or remove it",
            );
        }
        return None;
    };
    match Delay::parse(value.get_ref(), written.delay.is_none(), names) {
        Ok(mut delay) => {
            delay.restart = restart.is_some();
            Some(delay)
        }
        Err(what) => {
            mistakes.at(value, what, "see routes/README.md on waiting");
            None
        }
    }
}

fn may_be_saved(name: &Spanned<String>, names: &Names, mistakes: &mut Mistakes<'_>) {
    let word = name.get_ref().as_str();
    let mut bytes = word.bytes();
    let is_word = bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && word.len() <= 64;
    if !is_word {
        mistakes.at(
            name,
            format!("`{word}` cannot name a variable"),
            "use a-z, 0-9 and `_`, and begin with a letter",
        );
    } else if VARIABLES.contains(&word) || OF_ITEMS.contains(&word) || WORDS.contains(&word) {
        mistakes.at(name, format!("`{word}` has a meaning already"), "save it under another name");
    } else if names.saved.iter().any(|saved| saved == word) {
        mistakes.at(name, format!("two steps save `{word}`"), "give each a name of its own");
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
