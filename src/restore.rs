//! A database that was restored from a backup: it does not know what the bridge has done since the backup was made.
//!
//! How that is noticed: the database's generation grows with each start and with what is written, and a file beside the database
//! ([`Newest`]) follows it. First the database, durably, then the file: so the file is never ahead of its database, whenever the
//! process ends. One that is ahead was left by a later life of the database, which did nothing more soon after it wrote the file last.

mod newest;

use jiff::Timestamp;

use crate::connection::ConnectionName;

pub use newest::{Left, Newest};

/// A restore, or several, and what they leave open: between these times things may have been done of which the database does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// What was done before this is in the database; none: nobody knows since when something is missing.
    pub lost_since: Option<Timestamp>,
    /// From then on everything is in it.
    pub lost_until: Timestamp,
}

impl Restore {
    /// What it means, and what a person is to do about it for these connections.
    pub fn told<'a>(&self, connections: impl IntoIterator<Item = &'a ConnectionName>) -> String {
        let lost = match self.lost_since {
            Some(since) => format!("between {since:.0} and {:.0}", self.lost_until),
            None => format!("before {:.0}", self.lost_until),
        };
        let mut told = format!(
            "the database was restored from a backup: what happened {lost} may not be in it. What that time asks for is looked for in \
             HighLevel before it is made, so nothing is made twice. What the store has told in that time it tells once more by *Send \
             again what was delivered*, on the page of its add-on"
        );
        let commands: Vec<String> = connections.into_iter().map(|name| self.command(name)).collect();
        if !commands.is_empty() {
            told.push_str(". Bring every customer up to date by ");
            told.push_str(&commands.join(", "));
        }
        told
    }

    /// What brings the customers of a connection up to date.
    fn command(&self, name: &ConnectionName) -> String {
        let all = format!("`cartbridge resync {name} --all`");
        match self.lost_since {
            Some(since) => format!("{all} (or only who is new or has ordered: `--since {since:.0}`)"),
            None => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_names_the_time_and_the_very_command() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let shop: ConnectionName = "my-shop".parse().unwrap();
        let restore = Restore {
            lost_since: Some(at("2026-11-20T08:30:00.25Z")),
            lost_until: at("2026-11-24T12:00:00.5Z"),
        };
        let told = restore.told([&shop]);
        for part in ["2026-11-20T08:30:00Z and 2026-11-24T12:00:00Z", "`cartbridge resync my-shop --all`"] {
            assert!(told.contains(part), "{told}");
        }
        assert!(told.contains("`--since 2026-11-20T08:30:00Z`"), "{told}");
        let unknown = Restore { lost_since: None, ..restore };
        assert!(!unknown.told([&shop]).contains("--since"), "{unknown:?}");
    }
}
