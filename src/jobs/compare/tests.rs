use super::*;

fn canonical(fields: &[(Field, &str)]) -> Canonical {
    fields.iter().map(|(field, value)| (field.clone(), (*value).to_owned())).collect()
}

fn contact(id: &str, fields: &[(Field, &str)]) -> KnownContact {
    KnownContact {
        id: id.into(),
        fields: canonical(fields),
        number: None,
        tags: Vec::new(),
        owner: None,
        linked: Vec::new(),
    }
}

/// Looks for a customer among contacts, by e-mail and phone; answers the contact's id, or in a word what came of it.
fn found(customer: &[(Field, &str)], contacts: &[KnownContact]) -> String {
    let customer = canonical(customer);
    let with = |field: Field| {
        let same = |contact: &&KnownContact| {
            customer.shown(&field).is_some_and(|value| contact.fields.shown(&field) == Some(value))
        };
        contacts.iter().filter(same).cloned().collect()
    };
    let candidates = Candidates {
        by_number: contacts
            .iter()
            .filter(|contact| contact.number.as_deref() == Some("42"))
            .cloned()
            .collect(),
        by_email: with(Field::Email),
        by_phone: with(Field::Phone),
        ..Candidates::default()
    };
    let connection = "my-shop".parse().unwrap();
    let subject = Subject {
        connection: &connection,
        customer: Customer::User(42),
        contact: &customer,
        tags: &BTreeSet::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    match find(&subject, &candidates, false) {
        Match::Contact(contact, _) => contact.id,
        Match::Nobody => "nobody".to_owned(),
        Match::Unread(_) => "unread".to_owned(),
        Match::Unclear(_) => "unclear".to_owned(),
        Match::Nameless => "nameless".to_owned(),
    }
}

const ADA: (Field, &str) = (Field::Email, "ada@example.com");
const BEA: (Field, &str) = (Field::Email, "bea@example.com");
const PHONE: (Field, &str) = (Field::Phone, "+12025550143");

/// A contact that shows the customer's number.
fn numbered(id: &str, fields: &[(Field, &str)]) -> KnownContact {
    KnownContact { number: Some("42".into()), ..contact(id, fields) }
}

#[test]
fn the_number_decides_before_the_e_mail_and_where_they_disagree_nobody() {
    assert_eq!(found(&[ADA], &[numbered("n", &[BEA])]), "n", "his e-mail has changed");
    assert_eq!(found(&[ADA], &[numbered("n", &[ADA]), contact("b", &[BEA])]), "n");
    assert_eq!(found(&[ADA], &[numbered("n", &[BEA]), contact("a", &[ADA])]), "unclear");
    assert_eq!(found(&[ADA], &[numbered("n", &[BEA]), numbered("m", &[ADA])]), "unclear");
    let taken = KnownContact { owner: Some("customer:7".into()), ..numbered("n", &[BEA]) };
    assert_eq!(found(&[ADA], &[taken, contact("a", &[ADA])]), "a", "it is another customer's");
}

#[test]
fn the_e_mail_of_one_found_by_his_number_is_brought_over() {
    let ours = canonical(&[ADA, (Field::City, "Paris")]);
    let connection = "my-shop".parse().unwrap();
    let subject = Subject {
        connection: &connection,
        customer: Customer::User(42),
        contact: &ours,
        tags: &BTreeSet::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    for (theirs, sent) in [
        (numbered("n", &[BEA, (Field::City, "Rome")]), vec!["email"]),
        (contact("n", &[BEA, (Field::City, "Rome")]), vec![]),
    ] {
        match decide(&subject, &theirs, None) {
            Decision::Send { fields, link: Some(link), .. } => {
                assert_eq!(fields, sent);
                assert_eq!(sync::changes(&link.shadow, &ours).names(), sent, "so that its event sends it");
            }
            Decision::Linked(_) => assert!(sent.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_e_mail_decides_then_the_phone_and_where_they_disagree_nobody() {
    assert_eq!(found(&[ADA, PHONE], &[contact("a", &[ADA])]), "a");
    assert_eq!(found(&[ADA, PHONE], &[contact("p", &[PHONE])]), "p", "it has no e-mail of its own");
    assert_eq!(found(&[PHONE], &[contact("b", &[BEA, PHONE])]), "b");
    assert_eq!(found(&[ADA, PHONE], &[contact("b", &[BEA, PHONE])]), "nobody", "a shared phone");
    assert_eq!(found(&[ADA, PHONE], &[contact("a", &[ADA]), contact("p", &[PHONE])]), "unclear");
    assert_eq!(
        found(&[ADA, PHONE], &[contact("a", &[ADA, PHONE]), contact("b", &[BEA, PHONE])]),
        "a",
        "both say the same"
    );
    assert_eq!(found(&[ADA], &[contact("a", &[ADA]), contact("b", &[ADA])]), "unclear");
    assert_eq!(found(&[PHONE], &[contact("a", &[PHONE]), contact("b", &[PHONE])]), "unclear");
    assert_eq!(found(&[ADA], &[]), "nobody");
    assert_eq!(found(&[(Field::FirstName, "Ada")], &[]), "nameless");
}

#[test]
fn a_contact_that_is_another_customer_is_nobody_elses() {
    let mut taken = contact("a", &[ADA]);
    taken.owner = Some("customer:7".into());
    assert_eq!(found(&[ADA], &[taken.clone()]), "unclear");
    taken.owner = Some("customer:42".into());
    assert_eq!(found(&[ADA], &[taken.clone()]), "a");
    let link = |customer: &str| Link {
        connection: "my-shop".parse().unwrap(),
        customer: customer.parse().unwrap(),
        contact_id: "a".to_owned().into(),
        shadow: Shadow::default(),
        tags: BTreeSet::new(),
        state_at: Timestamp::UNIX_EPOCH,
    };
    taken.linked = vec![link("guest:ada@example.com")];
    assert_eq!(found(&[ADA], &[taken.clone()]), "a", "who has an account may order without it");
    taken.linked = vec![link("customer:7")];
    assert_eq!(found(&[ADA], &[taken]), "unclear");
}
