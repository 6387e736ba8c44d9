//! The mistakes of one file.

use toml::Spanned;

use super::expression::{Formula, Names};
use crate::mistake::{self, Mistake};

/// Collects the mistakes of one file.
pub(super) struct Mistakes<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) found: Vec<Mistake>,
}

impl Mistakes<'_> {
    pub(super) fn note(&mut self, byte: Option<usize>, what: impl Into<String>, mend: impl Into<String>) {
        self.found.push(Mistake {
            place: self.file.to_owned(),
            position: byte.map(|byte| mistake::position(self.text, byte)),
            what: what.into(),
            mend: mend.into(),
        });
    }

    pub(super) fn at<T>(&mut self, spanned: &Spanned<T>, what: impl Into<String>, mend: impl Into<String>) {
        self.note(Some(spanned.span().start), what, mend);
    }

    /// A condition, or a list, compiled.
    pub(super) fn formula(
        &mut self,
        source: Option<&Spanned<String>>,
        names: &Names,
        mend: &str,
    ) -> Option<Formula> {
        let source = source?;
        match Formula::parse(source.get_ref(), names) {
            Ok(formula) => Some(formula),
            Err(what) => {
                self.at(source, what, mend);
                None
            }
        }
    }
}
