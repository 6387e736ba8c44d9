//! Reading the files: the embedded ones, those of a folder, those of a folder in it for one connection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File as OpenFile;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use include_dir::{Dir, include_dir};

use crate::connection::ConnectionName;
use crate::flow::Route;
use crate::mistake::{self, Mistake};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/routes");

/// The folder with the tests of the routes: no connection's.
const TESTS: &str = "tests";

/// A route's file.
pub(super) struct File {
    /// The connection that it is for; none: all.
    pub(super) of: Option<ConnectionName>,
    /// Its name, with `.toml`.
    pub(super) name: String,
    /// What it is called in messages: its path from the folder.
    pub(super) place: String,
    /// It is built in.
    pub(super) embedded: bool,
    /// What stands in it, or why that cannot be read.
    pub(super) content: Result<Vec<u8>, Mistake>,
}

/// The folder itself cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the routes in {0} cannot be read: check `routes_dir`")]
pub struct FolderError(pub PathBuf, #[source] pub std::io::Error);

/// What a folder's files look like from outside: it differs when one has changed.
pub(super) type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// The built-in files, with those of a folder over them.
pub(super) fn files(folder: Option<&Path>) -> Result<Vec<File>, FolderError> {
    let mut files: Vec<File> = EMBEDDED
        .files()
        .filter(|file| is_route(file.path()))
        .map(|file| {
            let name = file.path().display().to_string();
            let content = Ok(file.contents().to_owned());
            File { of: None, place: name.clone(), name, embedded: true, content }
        })
        .collect();
    let Some(folder) = folder else { return Ok(files) };
    for path in entries(folder)? {
        let name = name_of(&path);
        if is_route(&path) {
            files.retain(|file| !(file.embedded && file.name == name));
            files.push(read(None, name.clone(), name, &path));
        } else if path.is_dir() && name != TESTS && !is_hidden(&name) {
            of_connection(&path, &name, &mut files)?;
        }
    }
    files.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(files)
}

/// Files of one folder whose names differ only in their letters' case would be one route, and on some disks are one file: all
/// but the first are refused.
pub(super) fn tell_apart(files: &mut [File]) {
    let mut first: HashMap<(Option<ConnectionName>, String), String> = HashMap::new();
    for file in files {
        match first.entry((file.of.clone(), file.name.to_lowercase())) {
            Entry::Vacant(place) => drop(place.insert(file.place.clone())),
            Entry::Occupied(other) => {
                file.content = Err(Mistake {
                    place: file.place.clone(),
                    position: None,
                    what: format!("`{}` and `{}` are one route by their names", other.get(), file.place),
                    mend: "rename one of them".into(),
                });
            }
        }
    }
}

/// The files of a folder in the folder: named after a connection, and for that one only.
fn of_connection(folder: &Path, name: &str, files: &mut Vec<File>) -> Result<(), FolderError> {
    let paths: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_route(path)).collect();
    if paths.is_empty() {
        return Ok(());
    }
    match name.parse::<ConnectionName>() {
        Ok(connection) => files.extend(paths.iter().map(|path| {
            let file = name_of(path);
            read(Some(connection.clone()), format!("{name}/{file}"), file, path)
        })),
        Err(_) => files.push(File {
            of: None,
            name: name.to_owned(),
            place: name.to_owned(),
            embedded: false,
            content: Err(Mistake {
                place: format!("{name}/"),
                position: None,
                what: "routes in a folder are for the connection of its name, and this names none".into(),
                mend: "give the folder a connection's name, or move the files up".into(),
            }),
        }),
    }
    Ok(())
}

fn read(of: Option<ConnectionName>, place: String, name: String, path: &Path) -> File {
    let content = content(path).map_err(|error| Mistake {
        place: place.clone(),
        position: None,
        what: format!("it cannot be read: {error}"),
        mend: "make it a readable file".into(),
    });
    File { of, name, place, embedded: false, content }
}

/// What stands in a file, as far as a route may go and a byte more, so that whoever reads it sees that it is too long. A pipe or
/// a device would keep whoever reads it for ever.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is a folder, a pipe or a device, and no file"));
    }
    let mut content = Vec::new();
    OpenFile::open(path)?.take(Route::LARGEST as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// What stands in a folder and looks like routes, but is for no connection or is not read by its name. It may be right, so it
/// keeps nothing from starting.
pub(super) fn overlooked(folder: &Path, connections: &[ConnectionName]) -> Vec<Mistake> {
    let routes_in = |folder: &Path| entries(folder).unwrap_or_default().iter().any(|path| is_route(path));
    let mut found = Vec::new();
    for path in entries(folder).unwrap_or_default() {
        let name = name_of(&path);
        if name == TESTS || is_hidden(&name) {
            continue;
        }
        if !path.is_dir() {
            found.extend(in_capitals(&path, name));
            continue;
        }
        if routes_in(&path) && !connections.iter().any(|known| known.as_str() == name) {
            found.push(Mistake {
                place: format!("{name}/"),
                position: None,
                what: "routes in a folder are for the connection of its name, and there is none".into(),
                mend: match mistake::most_like(&name, connections.iter().map(ConnectionName::as_str)) {
                    Some(like) => format!("did you mean `{like}`?"),
                    None => "give the folder a connection's name, or add that connection".into(),
                },
            });
        }
        let inner = entries(&path).unwrap_or_default();
        found.extend(inner.iter().filter_map(|path| in_capitals(path, format!("{name}/{}", name_of(path)))));
    }
    found.sort_by(|a, b| a.place.cmp(&b.place));
    found
}

/// A file that would be a route if its name ended in small letters.
fn in_capitals(path: &Path, place: String) -> Option<Mistake> {
    let extension = path.extension()?.to_str()?;
    let is_meant =
        extension.eq_ignore_ascii_case("toml") && extension != "toml" && !is_hidden(&name_of(path));
    is_meant.then(|| Mistake {
        place,
        position: None,
        what: "it is not read: the name of a route ends with `.toml`".into(),
        mend: "write the end of its name in small letters".into(),
    })
}

/// What a folder looks like; empty where it cannot be read.
pub(super) fn look(folder: &Path) -> Look {
    let mut look = Look::new();
    for path in entries(folder).unwrap_or_default() {
        if name_of(&path) == TESTS || is_hidden(&name_of(&path)) {
            continue;
        }
        let inner = if path.is_dir() { entries(&path).unwrap_or_default() } else { vec![path] };
        for path in inner.into_iter().filter(|path| is_route(path)) {
            let seen = std::fs::metadata(&path).ok();
            let (size, changed) = seen.map_or((0, None), |seen| (seen.len(), seen.modified().ok()));
            look.push((path, size, changed));
        }
    }
    look.sort();
    look
}

/// What is in a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |error| FolderError(folder.to_owned(), error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(paths)
}

/// Editors and systems keep things of their own in files whose names begin with a dot.
fn is_route(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml") && !is_hidden(&name_of(path))
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
