//! The custom fields of a location: looked up when a mapping fills any, kept, made where the mapping wishes it.
//!
//! Without a rule for a custom field nothing here makes a call. The definitions of a location are fetched once and kept in
//! memory; they are fetched again when a field is missing (at most each ten minutes), when HighLevel refuses or ignores one
//! that is known, and after a create of unknown outcome. One lane at a time does so for a location: the others wait and find
//! what it found.

use std::sync::Arc;

use ghl::oauth::{Operation as Call, Scopes};
use ghl::{CustomFieldModel, NewCustomField};
use jiff::Timestamp;

use super::calls::{CallError, call};
use super::step::Step;
use super::verdict::Verdict;
use super::work::Work;
use crate::custom_fields::{Known, PATIENCE, Wanted, wanted};
use crate::sync::{Canonical, Definitions, Field};

/// Said where HighLevel does not take the custom fields of the settings.
const NO_CUSTOM_FIELDS: &str = "the custom fields, which HighLevel does not take: make them in the location, or empty \
     `settings.custom_fields` of the connection";

/// Makes sure that each custom field of the customer can be sent, and takes out of the contact what cannot, with a word on
/// why. Gives the definitions to send them by; none: they go by their keys, for no rule fills any or the definitions may not
/// be read.
pub(super) async fn prepare(
    work: &mut Work<'_>,
    step: &mut Step,
) -> Result<Option<Arc<Definitions>>, Verdict> {
    prepared(work, step, None).await
}

/// The same for a comparison of both sides, which needs the definitions of the default custom fields as well: what is empty in
/// HighLevel shows only by them. Those that were missing are looked for again.
pub(super) async fn prepare_to_compare(
    work: &mut Work<'_>,
    step: &mut Step,
) -> Result<Option<Arc<Definitions>>, Verdict> {
    let asked = work.event().received_at;
    prepared(work, step, Some(asked)).await
}

async fn prepared(
    work: &mut Work<'_>,
    step: &mut Step,
    compared: Option<Timestamp>,
) -> Result<Option<Arc<Definitions>>, Verdict> {
    let live = work.live;
    let wanted: Vec<Wanted<'_>> =
        wanted(&live.fields).filter(|wanted| work.contact.get(&wanted.field()).is_some()).collect();
    let ours = work.contact.custom_fields();
    if wanted.is_empty() && (compared.is_none() || ours.is_empty()) {
        return Ok(None);
    }
    let known = work.engine.custom_fields.of(live.connection.ghl.app());
    let mut known = known.lock().await;
    work.keep_lease().await?;
    let outdated = compared.is_some_and(|asked| known.may_lack(&ours, asked));
    if (known.fetched.is_none() || outdated)
        && let Some(why) = fetch(work, step, &mut known).await?
    {
        if !wanted.is_empty() {
            work.say(format!(
                "the custom fields went by their keys, and HighLevel ignores what it does not know: {why}"
            ));
        }
        return Ok(None);
    }
    let whole = work.contact.clone();
    loop {
        for wanted in &wanted {
            find(work, step, &mut known, *wanted).await?;
        }
        let left_out = known.definitions.fit(&mut work.contact);
        // An option that is not known may have been added since.
        if !left_out.is_empty()
            && known.is_old(work.engine.clock.now())
            && fetch(work, step, &mut known).await?.is_none()
        {
            work.contact.clone_from(&whole);
            continue;
        }
        for what in left_out {
            work.say(what);
        }
        break;
    }
    Ok(Some(Arc::clone(&known.definitions)))
}

/// All that the location has; none: they may not be read, which is said.
pub(super) async fn all(work: &mut Work<'_>, step: &mut Step) -> Result<Option<Arc<Definitions>>, Verdict> {
    let known = work.engine.custom_fields.of(work.live.connection.ghl.app());
    let mut known = known.lock().await;
    work.keep_lease().await?;
    if known.is_old(work.engine.clock.now())
        && let Some(why) = fetch(work, step, &mut known).await?
    {
        work.say(format!("the contact was not looked for by the customer's number, for the location's fields cannot be read: {why}"));
        return Ok(None);
    }
    Ok(Some(Arc::clone(&known.definitions)))
}

/// HighLevel has refused what was `sent`. Where that may be for a custom field, looks again what there is, and takes out what
/// cannot be sent; answers whether that was anything, so that it is worth another try.
pub(super) async fn mend(
    work: &mut Work<'_>,
    step: &mut Step,
    error: &ghl::Error,
    sent: &mut Canonical,
    definitions: &mut Option<Arc<Definitions>>,
) -> Result<bool, Verdict> {
    let ghl::Error::Invalid { fields, .. } = error else { return Ok(false) };
    // In which words an option is refused that there is not any more is not documented: perhaps none names a field.
    if sent.custom_fields().is_empty() || !fields.iter().all(|field| field.starts_with("customFields")) {
        return Ok(false);
    }
    let known = work.engine.custom_fields.of(work.live.connection.ghl.app());
    known.lock().await.fetched = None;
    let mended = prepare(work, step).await?;
    let before = sent.clone();
    for (field, _) in before.custom_fields().iter().filter(|(field, _)| work.contact.get(field).is_none()) {
        sent.remove(field);
    }
    if *sent != before && mended.is_some() {
        *definitions = mended;
        return Ok(true);
    }
    if !fields.is_empty() {
        work.say(NO_CUSTOM_FIELDS.to_owned());
        return Ok(sent.remove_custom_fields());
    }
    Ok(false)
}

/// Looks whether HighLevel has taken what was sent: it ignores fields that were deleted there. Answers those; they are taken
/// out of the contact, so that they are sent when the field is there again.
pub(super) async fn ignored(
    work: &mut Work<'_>,
    step: &mut Step,
    sent: &Canonical,
    definitions: Option<&Definitions>,
    answer: &ghl::Contact,
) -> Result<Vec<Field>, Verdict> {
    let Some(definitions) = definitions else { return Ok(Vec::new()) };
    let missing: Vec<Field> = sent
        .custom_fields()
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(field, value)| match field {
            Field::Custom(key) => Some((field, value, definitions.get(key)?)),
            _ => None,
        })
        .filter(|(_, value, definition)| !definition.is_shown(value, answer.custom_field(&definition.id)))
        .map(|(field, ..)| field.clone())
        .collect();
    if missing.is_empty() {
        return Ok(missing);
    }
    let known = work.engine.custom_fields.of(work.live.connection.ghl.app());
    let mut known = known.lock().await;
    let now = work.engine.clock.now();
    if known.doubted.is_some_and(|doubted| now.duration_since(doubted) < PATIENCE) {
        return Ok(Vec::new());
    }
    known.doubted = Some(now);
    // The contact is there already: that the fields cannot be looked at now does not make its event fail.
    if !matches!(fetch(work, step, &mut known).await, Ok(None)) {
        return Ok(Vec::new());
    }
    let is_gone = |field: &Field| match field {
        Field::Custom(key) => {
            definitions.get(key).is_some_and(|definition| !known.definitions.has_id(&definition.id))
        }
        _ => false,
    };
    let gone: Vec<Field> = missing.into_iter().filter(is_gone).collect();
    if !gone.is_empty() {
        // Another may be deleted at any time: this doubt was right.
        known.doubted = None;
    }
    for field in &gone {
        work.say(format!("{field}: the field was deleted in HighLevel, which has ignored its value"));
        work.contact.remove(field);
    }
    Ok(gone)
}

/// Makes sure that a field is there, or takes it out of the contact.
async fn find(
    work: &mut Work<'_>,
    step: &mut Step,
    known: &mut Known,
    wanted: Wanted<'_>,
) -> Result<(), Verdict> {
    if known.has(wanted) {
        return Ok(());
    }
    if known.is_old(work.engine.clock.now()) {
        fetch(work, step, known).await?;
        if known.has(wanted) {
            return Ok(());
        }
    }
    let why = if wanted.rule.create {
        match make(work, step, known, wanted).await? {
            None => return Ok(()),
            Some(why) => format!("{}: {why}", wanted.field()),
        }
    } else {
        wanted.missing()
    };
    work.say(why);
    work.contact.remove(&wanted.field());
    Ok(())
}

/// Makes a field; answers why it could not be. An error: it is not known whether it was made, or it is to be tried again.
async fn make(
    work: &mut Work<'_>,
    step: &mut Step,
    known: &mut Known,
    wanted: Wanted<'_>,
) -> Result<Option<String>, Verdict> {
    let now = work.engine.clock.now();
    if let Some((at, why)) = known.refused.get(wanted.key)
        && now.duration_since(*at) < PATIENCE
    {
        return Ok(Some(why.clone()));
    }
    if let Some(why) = lacks(work, Call::CustomFieldCreate).await? {
        return Ok(Some(format!("the field was not made: {why}")));
    }
    let new = NewCustomField::of_contacts(wanted.label(), wanted.data_type());
    let location = &work.live.connection.ghl.location_id;
    let failed = match call!(work, step, |ghl| ghl.locations().create_custom_field(location, &new)).await {
        Ok(made) => {
            let definitions = Arc::make_mut(&mut known.definitions);
            if let Some(key) = definitions.add(&made) {
                definitions.alias(wanted.key, &key);
            }
            known.refused.remove(wanted.key);
            return Ok(known.has(wanted).then_some(()).map_or_else(
                || Some("HighLevel's answer does not name the field that was made".to_owned()),
                |()| None,
            ));
        }
        Err(failed) => failed,
    };
    if failed.error.maybe_processed() {
        // It may be there by now: whoever comes next looks before he makes it.
        known.fetched = None;
    }
    match failed.error {
        ref
        error @ (ghl::Error::Invalid { .. } | ghl::Error::Refused { .. } | ghl::Error::NotFound { .. }) => {
            let said = format!("the field was not made: {error}");
            // Somebody else may have made it meanwhile, and then it cannot be made twice.
            fetch(work, step, known).await?;
            if known.has(wanted) {
                return Ok(None);
            }
            known.refused.insert(wanted.key.to_owned(), (now, said.clone()));
            Ok(Some(said))
        }
        ghl::Error::MissingScope { .. } => {
            let missing = Scopes::from([Call::CustomFieldCreate.scope()]);
            Ok(Some(format!("the field was not made: it {}", work.engine.tokens.lack(work.live, &missing))))
        }
        _ => Err(failed.verdict),
    }
}

/// Fetches the definitions; answers why they cannot be had. An error: the event is to be tried again.
async fn fetch(work: &Work<'_>, step: &mut Step, known: &mut Known) -> Result<Option<String>, Verdict> {
    if let Some(why) = lacks(work, Call::CustomFields).await? {
        return Ok(Some(why));
    }
    let location = &work.live.connection.ghl.location_id;
    let contacts = Some(CustomFieldModel::Contact);
    match call!(work, step, |ghl| ghl.locations().custom_fields(location, contacts)).await {
        Ok(fields) => {
            known.take_over(&fields, work.engine.clock.now());
            Ok(None)
        }
        Err(CallError { error: ghl::Error::MissingScope { .. }, .. }) => {
            let missing = Scopes::from([Call::CustomFields.scope()]);
            Ok(Some(format!("reading them {}", work.engine.tokens.lack(work.live, &missing))))
        }
        Err(failed) => Err(failed.verdict),
    }
}

/// What the token lacks for a call; none: nothing that is known.
async fn lacks(work: &Work<'_>, call: Call) -> Result<Option<String>, Verdict> {
    let missing = work.engine.tokens.missing(work.live, &Scopes::from([call.scope()])).await?;
    Ok((!missing.is_empty()).then(|| format!("the token {}", work.engine.tokens.lack(work.live, &missing))))
}
