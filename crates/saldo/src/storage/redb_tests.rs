use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use ::redb::StorageBackend;

use super::*;

/// What happens to a file.
#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
    Sync,
}

/// A file in memory that remembers what happened to it.
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
        let database = Mutex::new(Some(builder.create_with_backend(film)?));
        Ok(RedbStorage { file: File::Writable { path: PathBuf::new(), database } })
    })
}

type State = BTreeMap<String, Vec<u8>>;

fn state(storage: &RedbStorage) -> State {
    storage.all().unwrap().into_iter().collect()
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
        storage.apply(&batch(round)).unwrap();
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
