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
    looked_for(customer, contacts, false)
}

/// The same after a restore.
fn found_again(customer: &[(Field, &str)], contacts: &[KnownContact]) -> String {
    looked_for(customer, contacts, true)
}

fn looked_for(customer: &[(Field, &str)], contacts: &[KnownContact], after_restore: bool) -> String {
    let customer = canonical(customer);
    let with = |field: Field| {
        let same = |contact: &&KnownContact| {
            customer.shown(&field).is_some_and(|value| contact.fields.shown(&field) == Some(value))
        };
        contacts.iter().filter(same).cloned().collect()
    };
    let has_number = |contact: &&KnownContact| contact.number.as_deref() == Some("42");
    let candidates = Candidates {
        by_email: with(Field::Email),
        by_phone: with(Field::Phone),
        by_number: contacts.iter().filter(has_number).cloned().collect(),
        ..Candidates::default()
    };
    let connection = "my-shop".parse().unwrap();
    let subject = Subject {
        connection: &connection,
        customer: Customer::User(42),
        contact: &customer,
        tags: &BTreeSet::new(),
        at: Timestamp::UNIX_EPOCH,
        definitions: None,
        after_restore,
    };
    match find(&subject, &candidates, false) {
        Match::Contact(contact, _) => contact.id,
        Match::Nobody => "nobody".to_owned(),
        Match::Unread(_) => "unread".to_owned(),
        Match::Taken(_) => "taken".to_owned(),
        Match::Unclear(_) => "unclear".to_owned(),
        Match::Unnamed(_) => "unnamed".to_owned(),
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
fn after_a_restore_the_number_decides_before_the_e_mail_and_where_they_disagree_nobody() {
    assert_eq!(found(&[ADA], &[numbered("n", &[BEA])]), "nobody", "no link was lost");
    assert_eq!(found_again(&[ADA], &[numbered("n", &[BEA])]), "n", "his e-mail has changed");
    assert_eq!(found_again(&[ADA], &[numbered("n", &[ADA]), contact("b", &[BEA])]), "n");
    assert_eq!(found_again(&[ADA], &[numbered("n", &[BEA]), contact("a", &[ADA])]), "unclear");
    assert_eq!(found_again(&[ADA], &[numbered("n", &[BEA]), numbered("m", &[ADA])]), "unclear");
    let taken = KnownContact { owner: Some("customer:7".into()), ..numbered("n", &[BEA]) };
    assert_eq!(found_again(&[ADA], &[taken, contact("a", &[ADA])]), "a", "it is another customer's");
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
        definitions: None,
        after_restore: true,
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
fn the_e_mail_decides_and_where_nobody_has_it_the_phone() {
    assert_eq!(found(&[ADA, PHONE], &[contact("a", &[ADA])]), "a");
    assert_eq!(found(&[ADA, PHONE], &[contact("p", &[PHONE])]), "p", "it has no e-mail of its own");
    assert_eq!(found(&[PHONE], &[contact("b", &[BEA, PHONE])]), "b");
    assert_eq!(found(&[ADA, PHONE], &[contact("b", &[BEA, PHONE])]), "nobody", "a shared phone");
    for other in [contact("p", &[PHONE]), contact("b", &[BEA, PHONE])] {
        assert_eq!(found(&[ADA, PHONE], &[contact("a", &[ADA]), other.clone()]), "a");
        assert_eq!(found(&[ADA, PHONE], &[contact("a", &[ADA, PHONE]), other]), "a");
    }
    assert_eq!(found(&[ADA], &[contact("a", &[ADA]), contact("b", &[ADA])]), "unclear");
    assert_eq!(found(&[PHONE], &[contact("a", &[PHONE]), contact("b", &[PHONE])]), "unclear");
    assert_eq!(found(&[ADA], &[]), "nobody");
}

#[test]
fn who_has_neither_is_found_by_his_number_where_the_name_is_his_too() {
    let numbered = |id: &str, name| KnownContact {
        number: Some("42".into()),
        ..contact(id, &[(Field::FirstName, name)])
    };
    let ada = [(Field::FirstName, "Ada")];
    assert_eq!(found(&ada, &[]), "nobody");
    assert_eq!(found(&ada, &[contact("n", &ada)]), "nobody", "a name alone is no key");
    assert_eq!(found(&ada, &[numbered("a", "ada")]), "a");
    assert_eq!(found(&ada, &[numbered("b", "Bea")]), "nobody", "the 42nd of another store");
    assert_eq!(found(&ada, &[numbered("a", "Ada"), numbered("b", "Ada")]), "unclear");
    assert_eq!(found(&[], &[]), "unnamed");
}

#[test]
fn a_contact_that_is_another_customer_is_nobody_elses() {
    let mut taken = contact("a", &[ADA]);
    taken.owner = Some("customer:7".into());
    assert_eq!(found(&[ADA], &[taken.clone()]), "taken");
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
    assert_eq!(found(&[ADA], &[taken.clone()]), "taken");
    taken.fields = canonical(&[PHONE]);
    assert_eq!(found(&[ADA, PHONE], &[taken]), "nobody", "he gets a contact without the phone");
}
