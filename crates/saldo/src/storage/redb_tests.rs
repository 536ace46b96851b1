use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use ::redb::StorageBackend;
use futures_util::FutureExt;

use super::*;

/// What happens to a file.
#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
    Sync,
}

/// A file in memory that records what happened to it.
#[derive(Clone, Debug, Default)]
struct Film {
    file: Arc<Mutex<Vec<u8>>>,
    steps: Arc<Mutex<Vec<Step>>>,
}

impl Film {
    fn of(file: Vec<u8>) -> Self {
        Self { file: Arc::new(Mutex::new(file)), steps: Arc::default() }
    }

    fn take(&self, step: Step) {
        step.apply(&mut self.file.lock().unwrap());
        self.steps.lock().unwrap().push(step);
    }
}

impl Step {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => file[*offset..][..bytes.len()].copy_from_slice(bytes),
            Self::Resize(length) => file.resize(*length, 0),
            Self::Sync => {}
        }
    }
}

impl StorageBackend for Film {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().unwrap().len().try_into().unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (file, offset) = (self.file.lock().unwrap(), usize::try_from(offset).unwrap());
        let asked = file.get(offset..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(asked.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.take(Step::Resize(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.take(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.take(Step::Write { offset: usize::try_from(offset).unwrap(), bytes: bytes.to_vec() });
        Ok(())
    }
}

fn open(film: Film) -> Result<RedbStorage, StorageError> {
    guarded(|| {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        Ok(builder.create_with_backend(film)?)
    })
    .and_then(|database| RedbStorage::of(PathBuf::new(), database))
}

fn loaded(storage: &RedbStorage) -> Loaded {
    storage.load().now_or_never().expect("it is read at once").unwrap()
}

/// Writes `changes`, and waits until they are durable.
fn write(storage: &RedbStorage, changes: Vec<Write>) -> Result<Version, StorageError> {
    let expected = loaded(storage).1;
    wait(storage.apply(changes, expected))
}

/// Waits for another thread.
fn wait<T>(mut future: impl Future<Output = T> + Unpin) -> T {
    loop {
        if let Some(output) = (&mut future).now_or_never() {
            return output;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

type State = BTreeMap<String, Vec<u8>>;

fn state(storage: &RedbStorage) -> State {
    loaded(storage).0.into_iter().collect()
}

/// Batches as a client writes them: some records anew, some removed, one of a light client's size.
fn batch(round: u8) -> Vec<Write> {
    let write = |name: String, value: Option<Vec<u8>>| Write { name, value };
    let mut batch = vec![
        write("light-client".into(), Some(vec![round; 60_000])),
        write(format!("reading/{round}"), Some(vec![round; 3_600])),
        write(format!("block/{round}"), Some(vec![round; 700])),
    ];
    if let Some(before) = round.checked_sub(2) {
        batch.push(write(format!("reading/{before}"), None));
        batch.push(write(format!("block/{before}"), None));
    }
    batch
}

/// Power is lost after every single write to the file, with those since the last flush there in part: what is found is what
/// was there before the batch, or after it.
#[test]
fn a_loss_of_power_leaves_the_old_state_or_the_new_one() {
    let film = Film::default();
    let storage = open(film.clone()).unwrap();
    let mut states = vec![State::new()];
    // By when which batch was said to be durable.
    let mut durable = vec![0];
    for round in 0..6 {
        write(&storage, batch(round)).unwrap();
        states.push(state(&storage));
        durable.push(film.steps.lock().unwrap().len());
    }
    let steps = film.steps.lock().unwrap().clone();
    let mut found_before = 0;
    for cut in durable[1]..=steps.len() {
        let flushed = steps[..cut].iter().rposition(|step| matches!(step, Step::Sync)).map_or(0, |at| at + 1);
        let since: Vec<&Step> = steps[flushed..cut].iter().collect();
        let is_written: [fn(usize) -> bool; 4] = [|_| true, |_| false, |at| at % 2 == 0, |at| at % 2 == 1];
        for is_written in is_written {
            let mut file = Vec::new();
            steps[..flushed].iter().for_each(|step| step.apply(&mut file));
            let survived = since
                .iter()
                .enumerate()
                .filter(|(at, step)| is_written(*at) || matches!(step, Step::Resize(_)));
            survived.for_each(|(_, step)| step.apply(&mut file));
            let storage = open(Film::of(file)).expect("the file is sound");
            let found = state(&storage);
            let at_least = durable.iter().rposition(|at| *at <= cut).unwrap();
            let place = states.iter().position(|state| *state == found).expect("a state that there was");
            assert!(
                place == at_least || place == at_least + 1,
                "after step {cut}: state {place}, at least {at_least}"
            );
            found_before += usize::from(place == at_least && cut > durable[at_least]);
        }
    }
    assert!(found_before > 0 && steps.len() > 20, "power was lost in the middle of something");
}

#[test]
fn what_is_no_such_file_is_refused() {
    for bytes in [b"not a database, whatever it is".to_vec(), vec![0; 80_000], vec![0xff; 4_096]] {
        assert_eq!(open(Film::of(bytes)).unwrap_err(), StorageError::Damaged);
    }
    assert!(state(&open(Film::default()).unwrap()).is_empty());
}

/// Two clients share it: the one that builds on what was there before the other's write is told so, and nothing of its
/// write is there.
#[test]
fn a_write_on_an_older_version_is_a_conflict() {
    let film = Film::default();
    let storage = open(film.clone()).unwrap();
    let before = loaded(&storage).1;
    assert_eq!(before, Version::FIRST);
    let after = write(&storage, batch(0)).unwrap();
    let kept = state(&storage);
    assert_eq!(wait(storage.apply(batch(1), before)), Err(StorageError::Conflict));
    assert_eq!((state(&storage), loaded(&storage).1), (kept, after));
    assert_eq!(wait(storage.apply(batch(1), after)), Ok(after.next()));
    // The version outlasts the process.
    drop(storage);
    let file = film.file.lock().unwrap().clone();
    assert_eq!(loaded(&open(Film::of(file)).unwrap()).1, after.next());
}

/// What was handed over is written when the last clone is gone, although nothing ever polled it.
#[test]
fn dropping_the_last_clone_finishes_the_writes() {
    let film = Film::default();
    let storage = open(film.clone()).unwrap();
    let clone = storage.clone();
    drop(storage.apply(batch(0), Version::FIRST));
    drop(storage.apply(batch(1), Version::FIRST.next()));
    drop(storage);
    drop(clone);
    let file = film.file.lock().unwrap().clone();
    let expected: State =
        [batch(0), batch(1)].concat().into_iter().map(|write| (write.name, write.value.unwrap())).collect();
    assert_eq!(state(&open(Film::of(file)).unwrap()), expected);
}
