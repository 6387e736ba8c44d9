//! Writes out structures whose fields are all read loosely.

/// A structure that reads what a store says of something: each field with its reader, and whatever else came in `extra`.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $reader:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(default, deserialize_with = $reader)]
                pub $field: $type,
            )+
            /// Whatever else came.
            #[serde(flatten)]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }
    };
}

/// What a [`Reader`](crate::Reader) reads, and how it is called.
macro_rules! entity {
    ($name:ident, $id:ident: $id_type:ty, $key:literal, $words:literal $(, $edition:expr)?) => {
        impl crate::reader::sealed::Sealed for $name {}

        impl crate::Entity for $name {
            type Id = $id_type;
            const NAME: &'static str = $words;
            const KEY: &'static str = $key;
            $(const EDITION: Option<crate::Edition> = Some($edition);)?

            fn id(&self) -> Option<$id_type> {
                self.$id
            }
        }
    };
}

pub(crate) use {entity, record};
