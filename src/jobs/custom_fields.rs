//! The custom fields of the location, as the engine knows them: what a customer is compared in is what can be sent of him.

use std::sync::Arc;

use ghl::oauth::{Operation as Call, Scopes};
use ghl::{CustomField, CustomFieldModel};

use super::calls::{Hands, Trouble};
use crate::custom_fields::{Known, wanted};
use crate::flow::FieldMap;
use crate::sync::{Canonical, Definitions};

/// The location's definitions; none: nothing needs them, for no rule fills any custom field and contacts are not found by one, or
/// they may not be read, so that values go by their keys and nothing is known of those of HighLevel.
pub(super) async fn definitions(hands: &Hands<'_>) -> Result<Option<Arc<Definitions>>, Trouble> {
    let caller = &hands.caller;
    let live = caller.live;
    if !live.fields.has_custom() && hands.number.is_none() {
        return Ok(None);
    }
    let known = hands.custom_fields.of(live.connection.ghl.app());
    let now = caller.clock.now();
    {
        let mut known = known.lock().await;
        if !known.is_old(now) {
            return Ok(Some(named(&mut known, &live.fields)));
        }
    }
    // Nobody waits for what goes after everything else: the lock is not held meanwhile.
    let Some(fields) = fetch(hands).await? else { return Ok(None) };
    let mut known = known.lock().await;
    known.take_over(&fields, now);
    Ok(Some(named(&mut known, &live.fields)))
}

/// The definitions, known by the keys that the rules use.
fn named(known: &mut Known, fields: &FieldMap) -> Arc<Definitions> {
    for wanted in wanted(fields) {
        known.has(wanted);
    }
    Arc::clone(&known.definitions)
}

async fn fetch(hands: &Hands<'_>) -> Result<Option<Vec<CustomField>>, Trouble> {
    let caller = &hands.caller;
    let scopes = Scopes::from([Call::CustomFields.scope()]);
    let missing = caller.tokens.missing(caller.live, &scopes).await.map_err(|it| caller.unready(&it))?;
    if !missing.is_empty() {
        return Ok(None);
    }
    let location = &caller.live.connection.ghl.location_id;
    let fields = caller.highlevel(|client| {
        let location = location.clone();
        Box::pin(async move {
            let answer = client.locations().custom_fields(&location, Some(CustomFieldModel::Contact)).await;
            match answer {
                Ok(answer) => Ok(answer.map(Ok)),
                // No reason to wait: the job goes on without them, as the engine does.
                Err(failure) if matches!(failure.error, ghl::Error::MissingScope { .. }) => {
                    let refused = (failure.exchange.method.clone(), failure.exchange.path.clone());
                    Ok(ghl::Answer { value: Err(refused), exchange: *failure.exchange })
                }
                Err(failure) => Err(failure),
            }
        })
    });
    match fields.await? {
        Some(Ok(fields)) => Ok(Some(fields)),
        Some(Err((method, path))) => {
            caller.tokens.denied(caller.live, &method, &path);
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Takes out of a contact what its event would leave out, with a word on each; what the event would make a field for stays.
pub(super) fn fit(contact: &mut Canonical, fields: &FieldMap, definitions: &Definitions) -> Vec<String> {
    let mut left_out = Vec::new();
    let mut to_be_made = Canonical::default();
    for wanted in wanted(fields).filter(|wanted| definitions.get(wanted.key).is_none()) {
        let field = wanted.field();
        match contact.get(&field) {
            Some(value) if wanted.rule.create => to_be_made.set(field.clone(), value),
            Some(_) => left_out.push(wanted.missing()),
            None => {}
        }
    }
    left_out.extend(definitions.fit(contact));
    contact.extend(&to_be_made);
    left_out
}
