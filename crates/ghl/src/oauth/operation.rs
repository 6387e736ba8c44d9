//! Which scope each call of this crate needs: `security` in contacts.json, locations.json, users.json and
//! oauth.json, the same as in "OAuth 2.0: Scopes" (oauth-Scopes.md).

use super::Scope;

macro_rules! operations {
    ($($call:literal $name:ident $method:literal $path:literal $scope:ident;)+) => {
        /// A call that this crate offers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $(#[doc = concat!("[`", $call, "`](crate::", $call, ")")] $name,)+
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The scope that its token needs.
            pub const fn scope(self) -> Scope {
                match self {
                    $(Self::$name => Scope::$scope,)+
                }
            }

            /// The HTTP method.
            pub const fn method(self) -> &'static str {
                match self {
                    $(Self::$name => $method,)+
                }
            }

            /// The path as in HighLevel's documents, with names in braces.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)+
                }
            }
        }
    };
}

operations! {
    "Contacts::list" ContactList "GET" "/contacts/" CONTACTS_READONLY;
    "Contacts::create" ContactCreate "POST" "/contacts/" CONTACTS_WRITE;
    "Contacts::upsert" ContactUpsert "POST" "/contacts/upsert" CONTACTS_WRITE;
    "Contacts::search" ContactSearch "POST" "/contacts/search" CONTACTS_READONLY;
    "Contacts::find_duplicate" ContactFindDuplicate "GET" "/contacts/search/duplicate" CONTACTS_READONLY;
    "Contacts::list_of_business" ContactListOfBusiness "GET" "/contacts/business/{businessId}" CONTACTS_READONLY;
    "Contacts::get" ContactGet "GET" "/contacts/{contactId}" CONTACTS_READONLY;
    "Contacts::update" ContactUpdate "PUT" "/contacts/{contactId}" CONTACTS_WRITE;
    "Contacts::delete" ContactDelete "DELETE" "/contacts/{contactId}" CONTACTS_WRITE;
    "Contacts::appointments" ContactAppointments "GET" "/contacts/{contactId}/appointments" CONTACTS_READONLY;
    "Tasks::list" TaskList "GET" "/contacts/{contactId}/tasks" CONTACTS_READONLY;
    "Tasks::create" TaskCreate "POST" "/contacts/{contactId}/tasks" CONTACTS_WRITE;
    "Tasks::get" TaskGet "GET" "/contacts/{contactId}/tasks/{taskId}" CONTACTS_READONLY;
    "Tasks::update" TaskUpdate "PUT" "/contacts/{contactId}/tasks/{taskId}" CONTACTS_WRITE;
    "Tasks::delete" TaskDelete "DELETE" "/contacts/{contactId}/tasks/{taskId}" CONTACTS_WRITE;
    "Tasks::set_completed" TaskSetCompleted "PUT" "/contacts/{contactId}/tasks/{taskId}/completed" CONTACTS_WRITE;
    "Notes::list" NoteList "GET" "/contacts/{contactId}/notes" CONTACTS_READONLY;
    "Notes::create" NoteCreate "POST" "/contacts/{contactId}/notes" CONTACTS_WRITE;
    "Notes::get" NoteGet "GET" "/contacts/{contactId}/notes/{id}" CONTACTS_READONLY;
    "Notes::update" NoteUpdate "PUT" "/contacts/{contactId}/notes/{id}" CONTACTS_WRITE;
    "Notes::delete" NoteDelete "DELETE" "/contacts/{contactId}/notes/{id}" CONTACTS_WRITE;
    "Tags::add" TagsAdd "POST" "/contacts/{contactId}/tags" CONTACTS_WRITE;
    "Tags::remove" TagsRemove "DELETE" "/contacts/{contactId}/tags" CONTACTS_WRITE;
    "Locations::get" LocationGet "GET" "/locations/{locationId}" LOCATIONS_READONLY;
    "Locations::custom_fields" CustomFields "GET" "/locations/{locationId}/customFields" CUSTOM_FIELDS_READONLY;
    "Locations::create_custom_field" CustomFieldCreate "POST" "/locations/{locationId}/customFields" CUSTOM_FIELDS_WRITE;
    "Users::list" UserList "GET" "/users/" USERS_READONLY;
    "oauth::OAuth::location_token" LocationToken "POST" "/oauth/locationToken" OAUTH_WRITE;
    "oauth::OAuth::installed_locations" InstalledLocations "GET" "/oauth/installedLocations" OAUTH_READONLY;
}
