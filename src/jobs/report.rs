//! What became of each customer, as CSV or JSON, a page at a time.

use std::sync::Arc;

use futures::Stream;
use futures::stream;
use serde::Serialize;

use super::{Item, Job, JobId, JobState};
use crate::store::{Error, Result, Store};

/// How many customers are read at a time.
const PAGE: usize = 500;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for spreadsheets (RFC 4180).
    Csv,
    /// An array of objects.
    Json,
}

/// A line of a report.
#[derive(Debug, Serialize)]
struct Line<'a> {
    customer: &'a str,
    outcome: &'static str,
    contact_id: &'a str,
    reason: &'a str,
    fields: String,
    event: String,
}

impl<'a> Line<'a> {
    fn new(item: &'a Item) -> Self {
        Self {
            customer: &item.subject,
            outcome: item.outcome.as_str(),
            contact_id: item.contact_id.as_deref().unwrap_or_default(),
            reason: item.reason.as_deref().unwrap_or_default(),
            fields: item.fields.join("; "),
            event: item.event.map(|id| id.to_string()).unwrap_or_default(),
        }
    }

    /// What stands in front of the customers where some of them are missing.
    fn partial(why: &'a str) -> Self {
        Self {
            customer: "(partial report)",
            outcome: "",
            contact_id: "",
            reason: why,
            fields: String::new(),
            event: String::new(),
        }
    }

    /// As a spreadsheet may be given it: a cell that begins like a formula would be one.
    fn cells(&self) -> [String; 6] {
        [self.customer, self.outcome, self.contact_id, self.reason, &self.fields, &self.event].map(harmless)
    }
}

/// Why the report of a job is not complete; none: it is.
pub fn partial(job: &Job) -> Option<String> {
    if job.state == JobState::Done {
        return None;
    }
    let all = job.customers().map(|all| format!("of {all} ")).unwrap_or_default();
    Some(format!(
        "the job is {}: {} {all}customers are done with, and the rest is missing here or not known yet",
        job.state,
        job.progress.done()
    ))
}

/// A cell that no spreadsheet takes for a formula ("CSV injection", OWASP).
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// The report of a job.
pub struct Report {
    store: Arc<dyn Store>,
    job: JobId,
    format: Format,
    differences_only: bool,
    /// Why it is not complete; none: it is.
    partial: Option<String>,
    after: Option<(u64, String)>,
    begun: bool,
    first: bool,
    over: bool,
}

impl Report {
    /// The report of a job, as far as it has come: one that is not complete says so in its first line. `differences_only`: without
    /// the customers that are equal.
    pub fn new(store: Arc<dyn Store>, job: &Job, format: Format, differences_only: bool) -> Self {
        Self {
            store,
            job: job.id,
            format,
            differences_only,
            partial: partial(job),
            after: None,
            begun: false,
            first: true,
            over: false,
        }
    }

    /// The next part of it; none: it is complete.
    pub async fn next(&mut self) -> Result<Option<String>> {
        if self.over {
            return Ok(None);
        }
        let items = self.store.job_items(self.job, self.after.take(), PAGE).await?;
        let mut part = String::new();
        let partial = self.partial.take();
        if !std::mem::replace(&mut self.begun, true) {
            part.push_str(match self.format {
                Format::Csv => "customer,outcome,contact_id,reason,fields,event\r\n",
                Format::Json => "[",
            });
        }
        self.after = items.last().map(|item| (item.number, item.subject.clone()));
        self.over = items.len() < PAGE;
        let told = |item: &&Item| !(self.differences_only && item.outcome == super::Outcome::Equal);
        let partial = partial.as_deref().map(Line::partial);
        let lines: Vec<Line<'_>> =
            partial.into_iter().chain(items.iter().filter(told).map(Line::new)).collect();
        match self.format {
            Format::Csv => part.push_str(&csv(&lines)?),
            Format::Json => {
                for line in lines {
                    part.push_str(if std::mem::take(&mut self.first) { "\n" } else { ",\n" });
                    part.push_str(
                        &serde_json::to_string(&line).map_err(|error| Error::corrupt("a report", error))?,
                    );
                }
                if self.over {
                    part.push_str("\n]\n");
                }
            }
        }
        Ok(Some(part))
    }

    /// All parts, as they are asked for.
    pub fn parts(self) -> impl Stream<Item = Result<String>> {
        stream::try_unfold(self, async |mut report| Ok(report.next().await?.map(|part| (part, report))))
    }
}

fn csv(lines: &[Line<'_>]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .has_headers(false)
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(line.cells()).map_err(|error| Error::corrupt("a report", error))?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::corrupt("a report", error.into_error()))?;
    // It was made of text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Outcome;

    #[test]
    fn no_cell_is_a_formula_and_quotes_and_lines_stay_inside_theirs() {
        let mut item = Item::of_customer(7, Outcome::Differs).because("=HYPERLINK(\"http://x\")");
        item.fields = vec!["+1".into(), "a\nb".into()];
        let text = csv(&[Line::new(&item)]).unwrap();
        assert_eq!(text, "customer:7,differs,,\"'=HYPERLINK(\"\"http://x\"\")\",\"'+1; a\nb\",\r\n");
    }
}
