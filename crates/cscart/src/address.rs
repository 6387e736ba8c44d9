//! Addresses: CS-Cart has them flat in the user and in the order, as `b_city` and `s_city`.

use std::fmt;

use serde::{
    Deserializer, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::loose;

/// An address for bills (`b_…`) or parcels (`s_…`). `None` means that the store did not say; an empty
/// string means that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The first name.
    pub firstname: Option<String>,
    /// The last name.
    pub lastname: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// A second line.
    pub address_2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The county, where there are such.
    pub county: Option<String>,
    /// The state: a code from the store's list of states, or free text where the list has none.
    pub state: Option<String>,
    /// The country, ISO alpha-2.
    pub country: Option<String>,
    /// The postal code.
    pub zipcode: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
}

/// How many fields an address has.
const FIELDS: usize = 10;

impl Address {
    /// Whether the store said nothing of it, or only that each field is empty.
    pub fn is_empty(&self) -> bool {
        self.fields().into_iter().flatten().all(String::is_empty)
    }

    /// The fields in the order of the keys below.
    fn fields(&self) -> [&Option<String>; FIELDS] {
        let Self { firstname, lastname, address, address_2, city, county, state, country, zipcode, phone } =
            self;
        [firstname, lastname, address, address_2, city, county, state, country, zipcode, phone]
    }

    fn fields_mut(&mut self) -> [&mut Option<String>; FIELDS] {
        let Self { firstname, lastname, address, address_2, city, county, state, country, zipcode, phone } =
            self;
        [firstname, lastname, address, address_2, city, county, state, country, zipcode, phone]
    }

    fn write<S: Serializer>(&self, keys: &[&'static str; FIELDS], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, field) in keys.iter().zip(self.fields()) {
            if let Some(value) = field {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }

    /// Asks for a structure with these keys: of a flattened field serde then hands over just these, and
    /// does not leave them for the fields that take the rest.
    fn read<'de, D: Deserializer<'de>>(
        keys: &'static [&'static str; FIELDS],
        deserializer: D,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Address", keys, AddressVisitor { keys })
    }
}

struct AddressVisitor {
    keys: &'static [&'static str; FIELDS],
}

impl<'de> Visitor<'de> for AddressVisitor {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of an address")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Address, A::Error> {
        let mut address = Address::default();
        while let Some(key) = map.next_key::<String>()? {
            match self.keys.iter().position(|known| *known == key) {
                Some(index) => *address.fields_mut()[index] = map.next_value::<loose::Text>()?.0,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(address)
    }
}

macro_rules! prefixed {
    ($($(#[$doc:meta])* $module:ident = $prefix:literal)+) => {$(
        $(#[$doc])*
        pub(crate) mod $module {
            use serde::{Deserializer, Serializer};

            use super::{Address, FIELDS};

            const KEYS: [&str; FIELDS] = [
                concat!($prefix, "firstname"),
                concat!($prefix, "lastname"),
                concat!($prefix, "address"),
                concat!($prefix, "address_2"),
                concat!($prefix, "city"),
                concat!($prefix, "county"),
                concat!($prefix, "state"),
                concat!($prefix, "country"),
                concat!($prefix, "zipcode"),
                concat!($prefix, "phone"),
            ];

            pub(crate) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
                address.write(&KEYS, serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
                Address::read(&KEYS, deserializer)
            }
        }
    )+};
}

prefixed! {
    /// The address for bills.
    billing = "b_"
    /// The address for parcels.
    shipping = "s_"
}
