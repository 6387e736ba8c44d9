//! The file that `--report` names. Whether it can be written is found out before anything is done; what stands at its place is
//! replaced by the whole report at once.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use tempfile::NamedTempFile;

use super::Shared;
use crate::jobs::{Format, JobId, Report, partial};

/// A file that a report can be written to.
pub(super) struct ReportFile(PathBuf);

impl ReportFile {
    /// Finds out whether the file can be written, and leaves it as it is.
    pub(super) fn at(path: PathBuf) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("the report cannot be written to {}: it is a folder. Name a file in it", path.display());
        }
        if !folder(&path).is_dir() {
            bail!("the report cannot be written to {}: there is no such folder", path.display());
        }
        try_out(&path).with_context(|| {
            format!("the report cannot be written to {}; name another file with --report", path.display())
        })?;
        Ok(Self(path))
    }

    /// Writes the report of a job, as far as that has come.
    pub(super) async fn write(self, store: &Shared, id: JobId) -> anyhow::Result<()> {
        let path = self.0;
        let cannot = || {
            format!(
                "the report cannot be written to {}; `cartbridge jobs report {id}` prints it",
                path.display()
            )
        };
        let job = store.job(id).await?.ok_or_else(|| anyhow!("there is no job {id} any more"))?;
        let json = path.extension().is_some_and(|extension| extension == "json");
        let format = if json { Format::Json } else { Format::Csv };
        let mut report = Report::new(Arc::clone(store), &job, format, false);
        if is_replaced(&path) {
            let mut out = beside(&path).with_context(cannot)?;
            fill(out.as_file_mut(), &mut report).await.with_context(cannot)?;
            out.persist(&path).with_context(cannot)?;
        } else {
            let mut out = OpenOptions::new().append(true).open(&path).with_context(cannot)?;
            fill(&mut out, &mut report).await.with_context(cannot)?;
        }
        match partial(&job) {
            None => eprintln!("The report is in {}.", path.display()),
            Some(why) => eprintln!("The report in {} is partial: {why}.", path.display()),
        }
        Ok(())
    }
}

async fn fill(out: &mut File, report: &mut Report) -> anyhow::Result<()> {
    while let Some(part) = report.next().await? {
        out.write_all(part.as_bytes())?;
    }
    Ok(())
}

/// Whether the report takes the place of what is there: a pipe or a terminal cannot be replaced.
fn is_replaced(path: &Path) -> bool {
    path.is_file() || !path.exists()
}

fn try_out(path: &Path) -> std::io::Result<()> {
    if path.is_file() {
        OpenOptions::new().append(true).open(path)?;
    }
    if is_replaced(path) {
        beside(path)?;
    }
    Ok(())
}

/// A file in the same folder, with the permissions of any new file, which is gone unless it is put in the other's place.
fn beside(path: &Path) -> std::io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".cartbridge-report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
