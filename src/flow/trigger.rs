//! The names of what can set off a route.

/// What the store's add-on sends (contracts, "What the store sends").
const CSCART: [&str; 19] = [
    "customer.created",
    "customer.updated",
    "customer.viewed",
    "customer.deleted",
    "customer.tags_changed",
    "note.created",
    "note.updated",
    "note.deleted",
    "order.created",
    "order.updated",
    "order.status_changed",
    "cart.abandoned",
    "review.created",
    "newsletter.subscribed",
    "newsletter.unsubscribed",
    "call_request.created",
    "vendor.created",
    "vendor.updated",
    "ping",
];

/// What HighLevel sends, by its own names (the pages of its webhook events).
const GHL: [&str; 58] = [
    "INSTALL",
    "UNINSTALL",
    "AppointmentCreate",
    "AppointmentDelete",
    "AppointmentUpdate",
    "AssociationCreated",
    "AssociationDeleted",
    "AssociationUpdated",
    "CampaignStatusUpdate",
    "ContactCreate",
    "ContactDelete",
    "ContactDndUpdate",
    "ContactTagUpdate",
    "ContactUpdate",
    "ConversationUnreadUpdate",
    "InboundMessage",
    "InvoiceCreate",
    "InvoiceDelete",
    "InvoicePaid",
    "InvoicePartiallyPaid",
    "InvoiceSent",
    "InvoiceUpdate",
    "InvoiceVoid",
    "LCEmailStats",
    "LocationCreate",
    "LocationUpdate",
    "NoteCreate",
    "NoteDelete",
    "NoteUpdate",
    "ObjectSchemaCreate",
    "ObjectSchemaUpdate",
    "OpportunityAssignedToUpdate",
    "OpportunityCreate",
    "OpportunityDelete",
    "OpportunityMonetaryValueUpdate",
    "OpportunityStageUpdate",
    "OpportunityStatusUpdate",
    "OpportunityUpdate",
    "OrderCreate",
    "OrderStatusUpdate",
    "OutboundMessage",
    "PLAN_CHANGE",
    "PriceCreate",
    "PriceDelete",
    "PriceUpdate",
    "ProductCreate",
    "ProductDelete",
    "ProductUpdate",
    "ProviderOutboundMessage",
    "RecordCreate",
    "RecordDelete",
    "RecordUpdate",
    "RelationCreate",
    "RelationDelete",
    "TaskComplete",
    "TaskCreate",
    "TaskDelete",
    "UserCreate",
];

const MANUAL: [&str; 2] = ["manual.resync", "manual.linked"];

/// All names that a route may ask for.
pub(super) fn all() -> Vec<String> {
    let cscart = CSCART.iter().map(|kind| format!("cscart.{kind}"));
    let ghl = GHL.iter().map(|kind| format!("ghl.{}", ghl_kind(kind)));
    cscart.chain(ghl).chain(MANUAL.iter().map(|&name| name.to_owned())).collect()
}

/// The type of an event by HighLevel's name for it: `ContactCreate` is `contact.created`, `OpportunityStatusUpdate` is
/// `opportunity.status_updated`, `INSTALL` is `app.installed`.
pub fn ghl_kind(name: &str) -> String {
    match name {
        "INSTALL" => return "app.installed".to_owned(),
        "UNINSTALL" => return "app.uninstalled".to_owned(),
        "PLAN_CHANGE" => return "plan.changed".to_owned(),
        "InboundMessage" => return "message.received".to_owned(),
        "OutboundMessage" => return "message.sent".to_owned(),
        "LCEmailStats" => return "email.stats".to_owned(),
        _ => {}
    }
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !c.is_ascii_uppercase() => word.push(c),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
    }
    if let Some(last) = words.last_mut() {
        let done = match last.as_str() {
            "create" => Some("created"),
            "update" => Some("updated"),
            "delete" => Some("deleted"),
            "complete" => Some("completed"),
            "change" => Some("changed"),
            _ => None,
        };
        if let Some(done) = done {
            done.clone_into(last);
        }
    }
    match words.split_first() {
        Some((thing, rest)) if !rest.is_empty() => format!("{thing}.{}", rest.join("_")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlevels_names_read_as_the_stores_do() {
        for (name, kind) in [
            ("ContactCreate", "contact.created"),
            ("ContactTagUpdate", "contact.tag_updated"),
            ("TaskComplete", "task.completed"),
            ("OpportunityStatusUpdate", "opportunity.status_updated"),
            ("InvoicePaid", "invoice.paid"),
            ("INSTALL", "app.installed"),
            ("SomethingNew", "something.new"),
        ] {
            assert_eq!(ghl_kind(name), kind);
        }
    }

    #[test]
    fn no_two_triggers_have_one_name() {
        let all = all();
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
