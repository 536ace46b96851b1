//! Says whether a mutant is active: the one whose number is in `SALDO_MUTANT`. With `SALDO_MUTANT_TRACE`, records in
//! that file which thread reached which mutant; a test's thread has the test's name.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::LazyLock;

struct Setting {
    active: Option<u32>,
    trace: Option<File>,
}

static SETTING: LazyLock<Setting> = LazyLock::new(|| Setting {
    active: std::env::var("SALDO_MUTANT").ok().map(|number| number.parse().expect("a number")),
    trace: std::env::var_os("SALDO_MUTANT_TRACE")
        .map(|path| OpenOptions::new().create(true).append(true).open(path).expect("a file to write to")),
});

thread_local! {
    static SEEN: RefCell<Vec<bool>> = RefCell::default();
}

/// Whether the mutant with this number is active.
pub fn on(mutant: u32) -> bool {
    if let Some(mut file) = SETTING.trace.as_ref() {
        // While a thread ends, the mutant may be recorded twice.
        if SEEN.try_with(|seen| is_new(&mut seen.borrow_mut(), mutant)).unwrap_or(true) {
            let thread = std::thread::current();
            let line = format!("{mutant}\t{}\n", thread.name().unwrap_or("?"));
            file.write_all(line.as_bytes()).expect("a file to write to");
        }
    }
    SETTING.active == Some(mutant)
}

fn is_new(seen: &mut Vec<bool>, mutant: u32) -> bool {
    let index = usize::try_from(mutant).expect("a small number");
    if seen.len() <= index {
        seen.resize(index + 1, false);
    }
    !std::mem::replace(&mut seen[index], true)
}
