//! Writes a network file with endpoints for other programs to use while this command runs.

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::CommandFailure;

/// How often another name is tried when a file of that name exists.
const TRIES: usize = 8;

/// A network file, complete from the moment it exists. Dropping it removes a temporary one.
pub(crate) struct NetworkFile {
    path: PathBuf,
    is_temporary: bool,
}

impl NetworkFile {
    /// Writes `text` to the file that the user named, in place of what it held; or else to a new one in the temporary
    /// folder, whose name cannot be guessed. Only its owner may read it.
    ///
    /// # Errors
    /// A [`CommandFailure`] if it cannot be written.
    pub(crate) fn write(out: Option<&Path>, text: &str) -> Result<Self, CommandFailure> {
        match out {
            Some(path) => replace(path, text.as_bytes()).map_err(|error| {
                CommandFailure::usage(
                    "out_file",
                    format!("the file of --out cannot be written: {error}"),
                    next_step(&error),
                )
            })?,
            None => {
                let made = (0..TRIES).find_map(|_| {
                    match create_new(&random_name(&std::env::temp_dir()), text.as_bytes()) {
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                        made => Some(made),
                    }
                });
                let made = made.unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()));
                let path = made.map_err(|error| {
                    let next = "Check the temporary folder (TMPDIR), or name a file with --out.";
                    CommandFailure::internal(format!("network file: {error}"), next)
                })?;
                return Ok(Self { path, is_temporary: true });
            }
        }
        Ok(Self { path: out.map(Path::to_owned).unwrap_or_default(), is_temporary: false })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for NetworkFile {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// One endpoint of a network file.
pub(crate) struct Entry<'a> {
    /// `rpc`, `beacon` or `checkpoint_source`.
    pub(crate) table: &'static str,
    pub(crate) url: String,
    pub(crate) name: &'a str,
    pub(crate) operator: &'a str,
    pub(crate) hosting: Option<&'a str>,
}

/// The network, or the profile of a rollup, and its endpoints as `Directory::from_toml` reads them.
pub(crate) fn text<'a>(mut text: String, entries: impl IntoIterator<Item = Entry<'a>>) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    for Entry { table, url, name, operator, hosting } in entries {
        text.push_str(&format!(
            "\n[[{table}]]\nurl = {}\nname = {}\noperator = {}\n",
            quoted(&url),
            quoted(name),
            quoted(operator)
        ));
        if let Some(hosting) = hosting {
            text.push_str(&format!("hosting = {}\n", quoted(hosting)));
        }
    }
    text
}

fn next_step(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Free some space, or choose another folder."
        }
        _ => "Check the path after --out.",
    }
}

/// Writes beside `path` and renames, so that a program that waits for the file never reads half of it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A pipe or a device would be gone afterwards, and with it what other programs have of it.
    if fs::metadata(path).is_ok_and(|present| !present.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let partial = create_new(&random_name(folder), content)?;
    fs::rename(&partial, path).inspect_err(|_| drop(fs::remove_file(&partial)))
}

fn random_name(folder: &Path) -> PathBuf {
    // The keys of a `RandomState` come from the system's randomness.
    let random = || RandomState::new().build_hasher().finish();
    folder.join(format!("saldo-{:016x}{:016x}.toml", random(), random()))
}

/// Makes a file that did not exist, readable by its owner alone: another user can neither prepare nor read it.
pub(crate) fn create_new(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content).inspect_err(|_| drop(fs::remove_file(path)))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_a_regular_file_is_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = random_name(&std::env::temp_dir()).with_extension("folder");
        fs::create_dir(&folder).unwrap();
        let (file, socket) = (folder.join("file"), folder.join("socket"));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        for other in [&socket, &folder] {
            assert_eq!(replace(other, b"x").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_temporary_file_has_a_new_name_each_time_and_its_owner_alone_reads_it() {
        let [one, two] = [(); 2].map(|()| NetworkFile::write(None, "a = 1\n").unwrap());
        assert_ne!(one.path(), two.path());
        assert_eq!(fs::read_to_string(one.path()).unwrap(), "a = 1\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
    }

    #[test]
    fn an_existing_file_is_never_written_through() {
        let there = random_name(&std::env::temp_dir());
        fs::write(&there, "mine").unwrap();
        assert_eq!(create_new(&there, b"yours").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
        #[cfg(unix)]
        {
            let link = random_name(&std::env::temp_dir());
            std::os::unix::fs::symlink(&there, &link).unwrap();
            assert_eq!(create_new(&link, b"yours").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            // A named file is replaced, also if it is a link: the file behind the link stays.
            replace(&link, b"yours").unwrap();
            assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
            assert_eq!(fs::read_to_string(&link).unwrap(), "yours");
            fs::remove_file(link).unwrap();
        }
        fs::remove_file(there).unwrap();
    }
}
