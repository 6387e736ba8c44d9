//! CS-Cart's one-letter codes, as far as they are the same in every store.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! letters {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $letter:literal)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// Another one, as the store wrote it.
            Other(String),
        }

        impl $name {
            /// The letter.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $letter,)+
                    Self::Other(letter) => letter,
                }
            }
        }

        impl From<&str> for $name {
            fn from(letter: &str) -> Self {
                match letter {
                    $($letter => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(letter: String) -> Self {
                Self::from(letter.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(letter: &str) -> Result<Self, Infallible> {
                Ok(Self::from(letter))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::loose::string(deserializer).map(Self::from)
            }
        }
    )+};
}

letters! {
    /// What a user is (`Tygh\Enum\UserTypes` in CS-Cart 4.20.1); also for whom a group of users is.
    UserType {
        /// A customer of the store.
        Customer = "C"
        /// An administrator of the store.
        Administrator = "A"
        /// An administrator of a vendor, in Multi-Vendor.
        Vendor = "V"
    }

    /// Whether a user may sign in.
    UserStatus {
        /// Yes.
        Active = "A"
        /// No.
        Disabled = "D"
        /// Waits for approval. Core has no such status of a user, add-ons may.
        Pending = "P"
    }

    /// How a user stands to a group (A, P, D, F), or the state of the group itself (A, H, D); from the
    /// documentation, `developer_guide/api/entities/usergroups.rst`.
    UsergroupStatus {
        /// The user is in the group; the group is active.
        Active = "A"
        /// The user asked to be let in.
        Pending = "P"
        /// The user was not let in; the group is disabled.
        Declined = "D"
        /// The user is not in the group and may ask. CS-Cart calls it "available".
        Available = "F"
        /// The group is hidden.
        Hidden = "H"
    }
}
