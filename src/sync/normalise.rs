//! Values as both sides agree on them.

mod country;
mod day;
mod email;
mod number;
mod phone;
mod text;
mod words;

pub(crate) use country::{country, state};
pub(crate) use day::{day, moment, time_zone};
pub(crate) use email::email;
pub(crate) use number::{money, number};
pub(crate) use phone::phone;
pub use phone::warm_up;
pub(crate) use text::line;
pub use text::{clean_tag, note_text, plain_text};
pub(crate) use words::{
    each_once, first_bytes, language_code, language_name, parts, slug, split_name, truth,
};
