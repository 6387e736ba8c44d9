//! `ghl.note.save` and `ghl.note.delete`: a note of the store's is a note on the contact.

use serde_json::json;

use crate::engine::calls::{CallError, call};
use crate::engine::reconcile::{self, Create, lost};
use crate::engine::step::Step;
use crate::engine::verdict::Verdict;
use crate::engine::work::Work;
use crate::link::{ItemKind, ItemLink};
use crate::store::LinkChange;
use crate::sync;

/// Creates the note, or changes the one that it is already.
pub(super) async fn save(
    work: &mut Work<'_>,
    step: &mut Step,
    note_id: &str,
    body: &str,
) -> Result<(), Verdict> {
    let link = super::link(work)?;
    let body = sync::note_text(body);
    let _alone = reconcile::alone(work, link.contact_id.as_str())?;
    let store = &work.engine.store;
    let known = store.item(&link.connection, ItemKind::Note, note_id).await?;
    let id = match known {
        Some(known) if known.contact_id == link.contact_id => {
            step.operation("ghl.note.update");
            if known.shadow["body"] == body && !work.event().forced {
                return step.skip(work, "nothing has changed").await;
            }
            if known.state_at > work.occurred_at && !work.event().forced {
                return step.skip(work, "a newer state of the note is there already").await;
            }
            let id: ghl::NoteId = known.remote_id.into();
            match call!(work, step, |ghl| ghl.notes().update(
                &link.contact_id,
                &id,
                &ghl::NoteUpdate { body: Some(body.clone()), ..ghl::NoteUpdate::default() },
            ))
            .await
            {
                Ok(_) => id,
                // Deleted over there; the store still has it, and the store is its home.
                Err(failed) if failed.is_not_found() => create(work, step, &link.contact_id, &body).await?,
                Err(failed) => return Err(failed.verdict),
            }
        }
        _ => create(work, step, &link.contact_id, &body).await?,
    };
    let item = ItemLink {
        connection: link.connection.clone(),
        kind: ItemKind::Note,
        key: note_id.to_owned(),
        contact_id: link.contact_id.clone(),
        remote_id: id.to_string(),
        shadow: json!({ "body": body }),
        state_at: work.occurred_at,
    };
    let result = json!({ "contact_id": link.contact_id, "note_id": id });
    step.done(work, result, vec![LinkChange::PutItem(item)]).await
}

async fn create(
    work: &Work<'_>,
    step: &mut Step,
    contact: &ghl::ContactId,
    body: &str,
) -> Result<ghl::NoteId, Verdict> {
    step.operation("ghl.note.create");
    if let Some(restore) = lost::note_may_be_there(work) {
        step.doubt(restore);
    }
    let made = reconcile::once(work, step, &OnContact { contact, body }).await?;
    Ok(made.id)
}

/// A note on its contact.
struct OnContact<'a> {
    contact: &'a ghl::ContactId,
    body: &'a str,
}

impl Create for OnContact<'_> {
    type Id = ghl::NoteId;

    async fn send(&self, work: &Work<'_>, step: &mut Step) -> Result<ghl::NoteId, CallError> {
        let new = ghl::NewNote::new(self.body);
        call!(work, step, |ghl| ghl.notes().create(self.contact, &new)).await.map(|made| made.id)
    }

    /// One is of our making if it says the same, is no older than the first sending, and belongs to no other effect.
    async fn find(&self, work: &Work<'_>, step: &mut Step) -> Result<Option<ghl::NoteId>, Verdict> {
        let earliest = reconcile::earliest(step);
        let taken = reconcile::taken(work, ItemKind::Note, self.contact).await?;
        let notes = call!(work, step, |ghl| ghl.notes().list(self.contact)).await?;
        let made = notes.into_iter().find(|found| {
            let mut texts = [&found.body_text, &found.body].into_iter().flatten();
            !taken.contains(found.id.as_str())
                && texts.any(|text| reconcile::same_words(self.body, text))
                && found.date_added.is_none_or(|added| added >= earliest)
        });
        Ok(made.map(|made| made.id))
    }
}

/// Deletes the note that a note of the store's has become; one that is gone already is as good.
pub(super) async fn delete(work: &mut Work<'_>, step: &mut Step, note_id: &str) -> Result<(), Verdict> {
    let connection = work.live.connection.name.clone();
    let Some(item) = work.engine.store.item(&connection, ItemKind::Note, note_id).await? else {
        return step.skip(work, "the note was never sent").await;
    };
    match call!(work, step, |ghl| ghl.notes().delete(&item.contact_id, &item.remote_id.clone().into())).await
    {
        Ok(()) => {}
        Err(failed) if failed.is_not_found() => {}
        Err(failed) => return Err(failed.verdict),
    }
    let dropped = LinkChange::DropItem(connection, ItemKind::Note, note_id.to_owned());
    step.done(work, json!({ "contact_id": item.contact_id, "note_id": item.remote_id }), vec![dropped]).await
}
