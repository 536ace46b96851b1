//! Keeps the numbers of the `metrics` facade, as far as `docs/metrics.md` lists them, and writes them for Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{CounterFn, GaugeFn, HistogramFn, Key, KeyName, Metadata, SharedString, Unit};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Names without `_total`, which is written behind each.
const COUNTERS: [(&str, &str); 13] = [
    ("saldo_requests", "HTTP requests to endpoints, by how they ended"),
    ("saldo_request_bytes", "Bytes of bodies, sent to endpoints and received from them"),
    ("saldo_failures", "Questions that an endpoint did not answer usefully, by the reason"),
    ("saldo_false_proofs", "Proofs that were false under the very block they were asked for"),
    ("saldo_proofs", "Proofs that were checked"),
    ("saldo_readings", "Readings that were handed out, by their state"),
    ("saldo_answers", "Answers about a block that were handed out"),
    ("saldo_unknown", "Readings and answers that are not known, by the reason"),
    ("saldo_withdrawn", "Readings whose block the chain dropped"),
    ("saldo_questions", "Questions about the state of a block, by whether they needed a request"),
    ("saldo_serve_calls", "JSON-RPC calls of programs, by how they ended"),
    ("saldo_serve_connections_opened", "Connections of programs that were taken"),
    ("saldo_serve_connections_refused", "Connections of programs that were one too many"),
];
const GAUGES: [(&str, &str); 9] = [
    ("saldo_head_slot", "Slot of the newest head"),
    ("saldo_head_age_seconds", "Age of the newest head, from the start of its slot"),
    ("saldo_head_slots_behind", "Slots that the newest signed head is behind the usual"),
    ("saldo_endpoint_state", "1 for the state that the endpoint is in"),
    ("saldo_endpoint_latency_seconds", "What nine in ten answers of the endpoint take"),
    ("saldo_trouble", "1 while there is this trouble"),
    ("saldo_cache_blocks", "Blocks about whose state something is held"),
    ("saldo_cache_bytes", "Bytes that are held about the state of blocks"),
    ("saldo_serve_connections", "Open connections of programs"),
];
const HISTOGRAMS: [(&str, &str); 2] = [
    ("saldo_request_seconds", "Time from a request to the last byte of its response"),
    ("saldo_serve_seconds", "Time from a JSON-RPC call to its answer"),
];
/// In seconds.
const BUCKETS: [f64; 12] = [0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

type Labels = Vec<(String, String)>;
type FloatGauge = Gauge<f64, AtomicU64>;
type Spreads = Family<Labels, Histogram, fn() -> Histogram>;

/// Keeps the numbers. A name that it does not know is not kept.
pub(super) struct Recorder {
    registry: Registry,
    counters: BTreeMap<&'static str, Family<Labels, Counter>>,
    gauges: BTreeMap<&'static str, Family<Labels, FloatGauge>>,
    histograms: BTreeMap<&'static str, Spreads>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let mut recorder = Self {
            registry: Registry::default(),
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
        };
        for (name, help) in COUNTERS {
            let family = Family::default();
            recorder.registry.register(name, help, family.clone());
            recorder.counters.insert(name, family);
        }
        for (name, help) in GAUGES {
            let family = Family::default();
            recorder.registry.register(name, help, family.clone());
            recorder.gauges.insert(name, family);
        }
        for (name, help) in HISTOGRAMS {
            let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
            let family = Family::new_with_constructor(histogram);
            recorder.registry.register(name, help, family.clone());
            recorder.histograms.insert(name, family);
        }
        recorder
    }

    /// All numbers as Prometheus reads them.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn labels(key: &Key) -> Labels {
    key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect()
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let name = key.name().strip_suffix("_total").unwrap_or(key.name());
        match self.counters.get(name) {
            Some(family) => Arc::new(Count(family.get_or_create_owned(&labels(key)))).into(),
            None => metrics::Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        match self.gauges.get(key.name()) {
            Some(family) => Arc::new(Level(family.get_or_create_owned(&labels(key)))).into(),
            None => metrics::Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        match self.histograms.get(key.name()) {
            Some(family) => Arc::new(Spread(family.get_or_create_owned(&labels(key)))).into(),
            None => metrics::Histogram::noop(),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

struct Count(Counter);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        let _ = self.0.inc_by(value);
    }

    fn absolute(&self, value: u64) {
        let _ = self.0.inner().fetch_max(value, Ordering::Relaxed);
    }
}

struct Level(FloatGauge);

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        let _ = self.0.inc_by(value);
    }

    fn decrement(&self, value: f64) {
        let _ = self.0.dec_by(value);
    }

    fn set(&self, value: f64) {
        let _ = self.0.set(value);
    }
}

struct Spread(Histogram);

impl HistogramFn for Spread {
    fn record(&self, value: f64) {
        self.0.observe(value);
    }
}
