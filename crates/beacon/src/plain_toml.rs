//! The part of TOML that network files are written in, read without a general parser.
//!
//! A file has comments, `key = value` lines, and `[[table]]` lines that begin an entry. A value is text in double quotes without
//! escapes, a whole number from 0 on, or a day. What is read here means the same in TOML; the rest of TOML is refused. The
//! built-in networks and directories are read this way. Without the feature `toml`, files of a user are too.

mod value;

pub use value::Value;

/// A line that is not in this part of TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPlain {
    /// The line, from 1 on.
    pub line: usize,
}

/// The keys and values of a table, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Value)>);

/// A file: the fields before the first entry, and the entries of each array of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The fields that are in no entry.
    pub top: Fields,
    /// The arrays of tables by name, in the order in which they begin.
    pub arrays: Vec<(String, Vec<Fields>)>,
}

impl Fields {
    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    /// Returns the keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Adds a field. Returns whether its key is new; otherwise nothing changes.
    pub fn add(&mut self, key: &str, value: Value) -> bool {
        let is_new = self.get(key).is_none();
        if is_new {
            self.0.push((key.to_owned(), value));
        }
        is_new
    }
}

impl Tables {
    /// Reads a file.
    ///
    /// # Errors
    /// [`NotPlain`] for the first line that is not in this part of TOML.
    pub fn read(text: &str) -> Result<Self, NotPlain> {
        let mut reader = Reader { tables: Self::default(), open: None };
        for (line, number) in text.split('\n').zip(1..) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            reader.line(line.trim_matches(BLANK)).ok_or(NotPlain { line: number })?;
        }
        Ok(reader.tables)
    }

    /// Returns the entries of an array of tables; none if it is not in the file.
    pub fn array(&self, name: &str) -> &[Fields] {
        self.arrays.iter().find(|(own, _)| own == name).map_or(&[], |(_, entries)| entries)
    }
}

/// Returns the line of `key`, from 1 on: before the first entry, or in the entry with this number, from 0 on, of an array of tables.
/// `None` if the text does not have it in the usual form: `key = value`, alone on a line.
pub fn line_of(text: &str, entry: Option<(&str, usize)>, key: &str) -> Option<usize> {
    let lines = || (1_usize..).zip(text.lines().map(str::trim));
    let start = match entry {
        None => 0,
        Some((table, number)) => {
            let header = format!("[[{table}]]");
            lines().filter(|(_, line)| line.starts_with(&header)).nth(number)?.0
        }
    };
    let mut own = lines().skip(start).take_while(|(_, line)| !line.starts_with('['));
    let is_key = |line: &str| line.split_once('=').is_some_and(|(left, _)| left.trim() == key);
    own.find(|(_, line)| is_key(line)).map(|(number, _)| number)
}

/// Returns the first line that names `name` at the top of a file, from 1 on, and whether it begins a table there: `[[name]]` or `[name]`,
/// in contrast to `name = value`. `None` if the text does not have it in the usual form.
pub fn line_of_name(text: &str, name: &str) -> Option<(usize, bool)> {
    let mut is_in_table = false;
    for (number, line) in (1_usize..).zip(text.lines().map(str::trim)) {
        let header = line.strip_prefix("[[").or_else(|| line.strip_prefix('['));
        is_in_table |= header.is_some();
        let named = match header {
            Some(header) => header.split(']').next(),
            None if is_in_table => None,
            None => line.split_once('=').map(|(key, _)| key),
        };
        if named.map(str::trim) == Some(name) {
            return Some((number, header.is_some()));
        }
    }
    None
}

const BLANK: [char; 2] = [' ', '\t'];

struct Reader {
    tables: Tables,
    /// The array whose last entry gets the next field; `None` before the first entry.
    open: Option<usize>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        if is_end(line) {
            return Some(());
        }
        if let Some(header) = line.strip_prefix("[[") {
            let (name, rest) = header.split_once("]]")?;
            return (is_key(name) && is_end(rest)).then(|| self.begin(name))?;
        }
        let (key, value) = line.split_once('=')?;
        let key = key.trim_end_matches(BLANK);
        let (value, rest) = Value::read(value.trim_start_matches(BLANK))?;
        (is_key(key) && is_end(rest) && self.fields()?.add(key, value)).then_some(())
    }

    /// Begins an entry of the array `name`.
    fn begin(&mut self, name: &str) -> Option<()> {
        let Tables { top, arrays } = &mut self.tables;
        if top.get(name).is_some() {
            return None;
        }
        let place = arrays.iter().position(|(own, _)| own == name).unwrap_or(arrays.len());
        if place == arrays.len() {
            arrays.push((name.to_owned(), Vec::new()));
        }
        arrays.get_mut(place)?.1.push(Fields::default());
        self.open = Some(place);
        Some(())
    }

    fn fields(&mut self) -> Option<&mut Fields> {
        match self.open {
            None => Some(&mut self.tables.top),
            Some(place) => self.tables.arrays.get_mut(place)?.1.last_mut(),
        }
    }
}

/// Whether a key is written without quotes.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether nothing but a comment is left of a line.
fn is_end(text: &str) -> bool {
    let rest = text.trim_start_matches(BLANK);
    rest.is_empty() || rest.strip_prefix('#').is_some_and(|comment| !comment.contains(is_control))
}

fn is_control(letter: char) -> bool {
    letter.is_ascii_control() && letter != '\t'
}

#[cfg(test)]
mod tests;
