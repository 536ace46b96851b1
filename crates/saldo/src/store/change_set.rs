//! What has to be written: the difference between what is in the storage and what is known now.

use alloy_primitives::{Address, B256};
use saldo_beacon::Checkpoint;
use saldo_chain::Anchor;
use saldo_reading::Holding;
use saldo_source::{SortedMap, SortedSet};

use super::codes::CodeChanges;
use super::draft::{Draft, Drafted};
use super::form::{self, Proof, ProviderState, StoredDisclosure};
use super::index::{Index, Progress};
use super::pending::{self, PendingKey, PendingName, PendingRecord};
use super::present::Present;
use super::seal::Seal;
use super::unsaved::Unsaved;
use crate::storage::Write;

/// Of how many addresses it is kept which operators know them: those that were asked about last.
const ADDRESSES: usize = 4_096;

/// What one write changes.
#[derive(Default)]
pub(crate) struct ChangeSet {
    pub(super) first: Option<Vec<u8>>,
    pub(super) start: Option<Checkpoint>,
    /// The light client's snapshot.
    pub(super) light_client: Option<(Progress, Vec<u8>)>,
    pub(super) removes_light_client: bool,
    pub(super) providers: Option<ProviderState>,
    pub(super) removes_providers: bool,
    /// Who knows of an address from now on; `None`: no operator.
    pub(super) disclosed: SortedMap<Address, Option<StoredDisclosure>>,
    /// Blocks that are new, or of which more is known.
    pub(super) blocks: SortedMap<B256, Anchor>,
    pub(super) removed_blocks: SortedSet<B256>,
    /// The blocks of the readings of each holding that changes, highest first.
    pub(super) readings: SortedMap<Holding, Vec<B256>>,
    pub(super) removed_readings: Vec<(Holding, B256)>,
    /// The proofs that wait, as far as they are new.
    pub(super) pending: SortedMap<PendingName, PendingRecord>,
    /// Those that wait no more.
    pub(super) removed_pending: SortedSet<PendingName>,
    /// The codes of tokens that are new, or that no reading uses any more.
    pub(super) codes: CodeChanges,
    /// The readings that are new.
    pub(super) unsaved: Vec<Unsaved>,
    /// Names that are not used any more, to remove.
    pub(super) strays: SortedSet<String>,
}

impl ChangeSet {
    fn of(drafted: Drafted) -> Self {
        let Drafted { blocks, removed_blocks, readings, removed_readings, codes, unsaved } = drafted;
        Self { blocks, removed_blocks, readings, removed_readings, codes, unsaved, ..Self::default() }
    }

    /// What has to be written so that `index` becomes what is known now; `None` if nothing has to.
    ///
    /// The work grows with what changed, and with the number of stored blocks that are not final, not with everything that
    /// is stored.
    pub(super) fn between(index: &Index, present: Present<'_>) -> Option<Self> {
        let mut draft = Draft::of(index);
        draft.withdraw(&present);
        draft.raise(&present);
        let unsaved = draft.add(&present);
        draft.prune();
        draft.evict();
        let mut changes = Self::of(draft.finish(unsaved));
        changes.start = present.start.filter(|start| index.start != Some(*start));
        changes.disclose(index, present.disclosed);
        changes.update_pending(index, present.pending, present.is_pending);
        let progress = present.light_client.map(Progress::of);
        let needs_write = progress.is_some_and(|progress| progress.needs_write(index.light_client));
        if changes.is_empty() && !needs_write {
            return None;
        }
        if let Some((client, progress)) = present.light_client.zip(progress)
            && index.light_client.is_none_or(|stored| progress > stored)
        {
            changes.light_client = Some((progress, client.snapshot()));
        }
        changes.first = Some(present.first).filter(|first| index.first.as_ref() != Some(first));
        changes.providers = Some((present.providers)());
        changes.strays = index.strays.clone();
        Some(changes)
    }

    /// Removes the readings of `holdings`, and the disclosure sets of the addresses of which no other holding is stored.
    pub(super) fn forgetting(index: &Index, holdings: &SortedSet<Holding>) -> Option<Self> {
        let mut draft = Draft::of(index);
        for holding in holdings.iter().filter(|holding| !index.blocks_of(holding).is_empty()) {
            draft.readings.insert(*holding, Vec::new());
        }
        let mut changes = Self::of(draft.finish(Vec::new()));
        let is_forgotten = |name: &&PendingName| holdings.contains(&name.0);
        changes.removed_pending = index.pending.keys().filter(is_forgotten).copied().collect();
        let is_disclosed = |address: &Address| {
            index.disclosed.contains_key(address) && !index.has_other_of_owner(*address, holdings)
        };
        let addresses = holdings.iter().map(|holding| holding.owner()).filter(is_disclosed);
        changes.disclosed = addresses.map(|address| (address, None)).collect();
        let is_theirs = |name: &&String| {
            form::is_code(name) || holdings.iter().any(|holding| form::names_owner(name, holding.owner()))
        };
        changes.strays = index.strays.iter().filter(is_theirs).cloned().collect();
        (!changes.is_empty() || !changes.strays.is_empty()).then_some(changes)
    }

    /// Removes all that follows from where trust started, and writes where it starts now.
    pub(super) fn restarting(index: &Index, first: Vec<u8>, start: Checkpoint) -> Self {
        let mut draft = Draft::of(index);
        draft.readings.extend(index.holdings().map(|holding| (*holding, Vec::new())));
        Self {
            first: Some(first),
            start: Some(start),
            removes_light_client: true,
            removes_providers: true,
            removed_pending: index.pending.keys().copied().collect(),
            strays: index.strays.clone(),
            ..Self::of(draft.finish(Vec::new()))
        }
    }

    /// Has `index` say what is in the storage after the write.
    pub(super) fn apply_to(&self, index: &mut Index) {
        index.first = self.first.clone().or(index.first.take());
        index.start = self.start.or(index.start);
        let before = index.light_client.filter(|_| !self.removes_light_client);
        index.light_client = self.light_client.as_ref().map(|(progress, _)| *progress).or(before);
        index.has_providers = self.providers.is_some() || (index.has_providers && !self.removes_providers);
        index.strays.retain(|name| !self.strays.contains(name));
        for (address, disclosed) in &self.disclosed {
            index.set_disclosed(*address, disclosed.as_ref().map(|disclosed| disclosed.order));
        }
        self.blocks.values().for_each(|anchor| index.put_block(anchor.clone()));
        for (holding, blocks) in &self.readings {
            index.set_readings(*holding, blocks.clone());
        }
        self.removed_blocks.iter().for_each(|hash| index.remove_block(hash));
        self.codes.apply_to(&mut index.codes);
        index.pending.retain(|name, _| !self.removed_pending.contains(name));
        self.pending.values().for_each(|record| index.put_pending(record));
    }

    fn is_empty(&self) -> bool {
        self.start.is_none()
            && self.disclosed.is_empty()
            && self.blocks.is_empty()
            && self.readings.is_empty()
            && self.pending.is_empty()
            && self.removed_pending.is_empty()
    }

    /// Adds the proofs that wait and are new, up to the bound, and removes those that wait no more.
    fn update_pending(
        &mut self,
        index: &Index,
        new: Vec<PendingRecord>,
        is_pending: &dyn Fn(&PendingKey) -> bool,
    ) {
        let gone = index.pending.iter().filter(|(_, (key, _))| !is_pending(key));
        self.removed_pending = gone.map(|(name, _)| *name).collect();
        let mut bytes: usize = index.pending.values().map(|(_, size)| size).sum();
        for record in new {
            let name = record.key().name();
            bytes = bytes.saturating_add(record.size());
            // One that is stored is written again only with the claims that it waits for by now.
            let is_new = !index.pending.contains_key(&name) || !record.claims.is_empty();
            if bytes <= pending::MOST_BYTES && is_new {
                self.pending.insert(name, record);
            }
        }
    }

    fn disclose(&mut self, index: &Index, changed: Vec<(Address, StoredDisclosure)>) {
        for (address, disclosure) in changed {
            let is_known = !disclosure.operators.is_empty();
            if is_known || index.disclosed.contains_key(&address) {
                self.disclosed.insert(address, is_known.then_some(disclosure));
            }
        }
        let is_new = |(address, disclosure): &(&Address, &Option<StoredDisclosure>)| {
            disclosure.is_some() && !index.disclosed.contains_key(*address)
        };
        let added = self.disclosed.iter().filter(is_new).count();
        let excess = index.disclosed.len().saturating_add(added).saturating_sub(ADDRESSES);
        let oldest = index.disclosed_order.iter().map(|(_, address)| *address).take(excess);
        for address in oldest.collect::<Vec<_>>() {
            self.disclosed.entry(address).or_insert(None);
        }
    }

    /// The change set as named bytes, each with its seal: removals first.
    pub(super) fn encode(&self, seal: &Seal) -> Vec<Write> {
        let mut put: SortedMap<String, Vec<u8>> = SortedMap::new();
        let mut removed = self.strays.clone();
        let fixed = [
            (form::FIRST, self.first.clone(), false),
            (form::START, self.start.as_ref().map(form::start), false),
            (
                form::LIGHT_CLIENT,
                self.light_client.as_ref().map(|(_, snapshot)| snapshot.clone()),
                self.removes_light_client,
            ),
            (form::PROVIDERS, self.providers.as_ref().map(alloy_rlp::encode), self.removes_providers),
        ];
        for (name, value, is_removed) in fixed {
            removed.extend(is_removed.then(|| name.to_owned()));
            put.extend(value.map(|value| (name.to_owned(), value)));
        }
        for (address, disclosure) in &self.disclosed {
            let name = form::disclosed_name(*address);
            match disclosure {
                Some(disclosure) => {
                    put.insert(name, alloy_rlp::encode(disclosure));
                }
                None => {
                    removed.insert(name);
                }
            }
        }
        put.extend(self.blocks.iter().map(|(hash, anchor)| (form::block_name(*hash), anchor.to_bytes())));
        removed.extend(self.removed_blocks.iter().map(|hash| form::block_name(*hash)));
        removed.extend(
            self.removed_readings.iter().filter_map(|(holding, hash)| form::reading_name(holding, *hash)),
        );
        for unsaved in &self.unsaved {
            let Some(name) = form::reading_name(&unsaved.holding(), unsaved.block()) else { continue };
            let provider = unsaved.proven.provider().as_str().to_owned();
            let written = self.codes.nodes_of(&(unsaved.holding(), unsaved.block()));
            let nodes = written.unwrap_or(&unsaved.nodes).to_vec();
            put.insert(name, alloy_rlp::encode(Proof { provider, nodes }));
        }
        put.extend(self.codes.put.iter().map(|(hash, code)| (form::code_name(*hash), code.to_vec())));
        removed.extend(self.codes.removed.iter().map(|hash| form::code_name(*hash)));
        removed
            .extend(self.removed_pending.iter().filter_map(|(holding, id)| form::pending_name(holding, *id)));
        put.extend(self.pending.iter().filter_map(|((holding, id), record)| {
            Some((form::pending_name(holding, *id)?, record.encode()))
        }));
        removed.retain(|name| !put.contains_key(name));
        let removed = removed.into_iter().map(|name| Write { name, value: None });
        let put = put.into_iter().map(|(name, value)| {
            let value = Some(seal.close(&name, value));
            Write { name, value }
        });
        removed.chain(put).collect()
    }
}
