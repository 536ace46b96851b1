//! Compares what the client shows with what the table expects. Only the fields that the table has are compared.

use std::fmt;

use saldo_ffi::{
    AccountReading, Change, Derivation, Health, PartialSum, Proven, Reading, StorageFault, Sum, TokenList,
    TokenReading, Total, Unconfirmed, Verdict,
};
use serde_json::{Map, Value, json};

/// What differs.
#[derive(Debug)]
pub struct Difference(String);

impl Difference {
    /// A difference in words.
    pub fn of(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Compared = Result<(), Difference>;

/// Compares two values.
pub fn same<T: PartialEq + fmt::Debug>(name: &str, shown: &T, expected: &T) -> Compared {
    if shown == expected {
        Ok(())
    } else {
        Err(Difference(format!("{name} is {shown:?}, expected {expected:?}")))
    }
}

/// Compares each expected field with the field that is shown.
fn fields(shown: &Map<String, Value>, expected: &Value, whole: &impl fmt::Debug) -> Compared {
    for (name, expected) in expected.as_object().expect("expected fields") {
        let Some(shown) = shown.get(name) else {
            return Err(Difference(format!("there is no {name} in {whole:?}")));
        };
        same(name, shown, expected).map_err(|difference| Difference(format!("{difference} in {whole:?}")))?;
    }
    Ok(())
}

fn amount(proven: Option<&Proven>) -> Value {
    json!(proven.map_or("none", |proven| proven.amount.as_str()))
}

/// The fields of a reading, by the names of the table.
fn shown(reading: &Reading, expected: &Value) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    let (why, last) = match reading {
        Reading::Proven { proven } => {
            put("state", json!("proven"));
            put("amount", json!(proven.amount.as_str()));
            put("frozen", json!(proven.is_frozen));
            let layout = match &proven.derivation {
                Some(Derivation::Slot { layout, .. }) => layout.as_str(),
                Some(Derivation::Executed { .. } | Derivation::Other) | None => "none",
            };
            put("layout", json!(layout));
            put("restored", json!(proven.is_restored));
            put("level", json!(proven.block.assurance.level));
            put("nonce", json!(proven.nonce));
            if let Some(least) = expected["agreed_by_at_least"].as_u64() {
                let agreed = u64::try_from(proven.block.origin.agreed_by.len()).expect("few");
                put("agreed_by_at_least", json!(agreed.min(least)));
            }
            return shown;
        }
        Reading::Provisional { provisional } => {
            put("state", json!("provisional"));
            put(
                "unconfirmed",
                match &provisional.unconfirmed {
                    Unconfirmed::Claimed { amount } => json!(amount.as_str()),
                    Unconfirmed::NotShown => json!("none"),
                },
            );
            put("quorum", json!(provisional.quorum.as_ref().map_or(0, |quorum| quorum.operators)));
            (&provisional.why, &provisional.last)
        }
        Reading::Unknown { unknown } => {
            put("state", json!("unknown"));
            (&unknown.why, &unknown.last)
        }
    };
    put("why", json!(why.code));
    put("needs_action", json!(why.needs_action));
    put("has_retry_after", json!(why.retry_after_seconds.is_some()));
    put("last", amount(last.as_ref()));
    shown
}

/// Compares a reading.
pub fn reading(reading: &Reading, expected: &Value) -> Compared {
    fields(&shown(reading, expected), expected, reading)
}

/// Compares the balance and the nonce of an account.
pub fn account(account: &AccountReading, expected: &Value) -> Compared {
    let mut shown = shown(&account.balance, expected);
    shown.insert("nonce".to_owned(), json!(account.nonce));
    fields(&shown, expected, account)
}

/// Compares readings, one by one.
pub fn readings(readings: &[Reading], expected: &Value) -> Compared {
    let expected = expected.as_array().expect("expected readings");
    same("readings", &readings.len(), &expected.len())?;
    readings.iter().zip(expected).try_for_each(|(shown, expected)| reading(shown, expected))
}

/// Compares verdicts, one by one.
pub fn verdicts(verdicts: &[Verdict], expected: &Value) -> Compared {
    let expected = expected.as_array().expect("expected verdicts");
    same("verdicts", &verdicts.len(), &expected.len())?;
    verdicts.iter().zip(expected).try_for_each(|(verdict, expected)| {
        let shown = match verdict {
            Verdict::Confirmed { proven } => {
                json!({ "verdict": "confirmed", "proven": amount(Some(proven)) })
            }
            Verdict::Different { proven, claimed } => json!({
                "verdict": "different", "proven": amount(Some(proven)), "claimed": claimed.as_str(),
            }),
            Verdict::Changed { proven, claimed, .. } => json!({
                "verdict": "changed", "proven": amount(Some(proven)), "claimed": claimed.as_str(),
            }),
            Verdict::NotChecked { unknown } => json!({ "verdict": "not_checked", "why": unknown.why.code }),
        };
        fields(shown.as_object().expect("fields"), expected, verdict)
    })
}

/// Compares a remembered amount.
pub fn last(proven: Option<&Proven>, expected: &Value) -> Compared {
    let restored = json!(proven.is_some_and(|proven| proven.is_restored));
    let shown = Map::from_iter([("amount".to_owned(), amount(proven)), ("restored".to_owned(), restored)]);
    fields(&shown, expected, &proven)
}

/// Compares totals, one by one.
pub fn totals(totals: &[Total], expected: &Value) -> Compared {
    let expected = expected.as_array().expect("expected totals");
    same("totals", &totals.len(), &expected.len())?;
    let part = |part: &PartialSum| match part {
        PartialSum::Of { amount } => json!(amount.as_str()),
        PartialSum::NoHolding => json!("none"),
    };
    totals.iter().zip(expected).try_for_each(|(total, expected)| {
        let shown = match &total.sum {
            Sum::Proven { amount } => json!({ "sum": "proven", "amount": amount.as_str() }),
            Sum::Remembered { together, .. } => json!({ "sum": "remembered", "amount": together.as_str() }),
            Sum::Partial { proven, remembered, missing } => json!({
                "sum": "partial",
                "proven": part(proven),
                "remembered": part(remembered),
                "missing": missing.len(),
            }),
            other => json!({ "sum": format!("{other:?}") }),
        };
        fields(shown.as_object().expect("fields"), expected, total)
    })
}

/// Compares what is known about a token.
pub fn token(reading: &TokenReading, expected: &Value) -> Compared {
    let layout = reading.proven.as_ref().and_then(|proven| proven.layout.as_ref());
    let shown = json!({
        "provable": reading.proven.as_ref().map_or("none", |proven| proven.provable.as_str()),
        "layout": layout.map_or("none", |layout| layout.name.as_str()),
        "tells_frozen": layout.is_some_and(|layout| layout.tells_frozen),
        "why": reading.why.as_ref().map(|why| why.code.as_str()),
    });
    fields(shown.as_object().expect("fields"), expected, reading)
}

/// Compares a token list, and its first token.
pub fn token_list(list: &TokenList, expected: &Value) -> Compared {
    let first = list.tokens.first().map(|token| &token.info);
    let shown = json!({
        "tokens": list.tokens.len(),
        "other_networks": list.other_networks,
        "skipped": list.skipped,
        "decimals": first.map(|info| info.decimals),
        "source": first.map(|info| info.source.as_str()),
        "symbol": first.map(|info| info.symbol.text.as_str()),
        "flaws": first.map(|info| info.symbol.flaws.join(",")),
    });
    fields(shown.as_object().expect("fields"), expected, list)
}

/// Compares some fields of the health.
pub fn health(health: &Health, expected: &Value) -> Compared {
    let shown = json!({
        "is_closed": health.is_closed,
        "is_offline": health.is_offline,
        "is_clock_off": health.is_clock_off,
        "is_faulted": health.is_faulted,
        "rollup": match &health.rollup {
            None => "none",
            Some(rollup) if rollup.stopped_timestamp.is_some() => "stopped",
            Some(rollup) if rollup.newest.is_some() => "vouched",
            Some(_) => "not_vouched",
        },
    });
    fields(shown.as_object().expect("fields"), expected, health)
}

/// Compares a number of things with the least number.
pub fn count(number: usize, expected: &Value) -> Compared {
    let least = expected["at_least"].as_u64().expect("a number");
    same("at_least", &u64::try_from(number).expect("few").min(least), &least)
}

/// Compares whether something is there.
pub fn presence(is_there: bool, expected: &Value) -> Compared {
    same("is_there", &json!(is_there), &expected["is_there"])
}

/// Compares the faults of the storage.
pub fn faults(faults: &[StorageFault], expected: &Value) -> Compared {
    let expected = expected.as_array().expect("expected codes");
    let codes: Vec<Value> = faults.iter().map(|fault| json!(fault.code)).collect();
    let is_same = match expected.as_slice() {
        [] => codes.is_empty(),
        some => some.iter().all(|code| codes.contains(code)),
    };
    if is_same {
        Ok(())
    } else {
        Err(Difference(format!("the faults are {faults:?}, expected {expected:?}")))
    }
}

/// Compares a change of a watch.
pub fn change(change: &Change, expected: &Value) -> Compared {
    let mut all = Map::new();
    let name = match change {
        Change::Reading { reading, .. } => {
            all = shown(reading, expected);
            "reading"
        }
        Change::Remembered { last, .. } => {
            all.insert("amount".to_owned(), amount(last.as_ref()));
            "remembered"
        }
        Change::Withdrawn { withdrawn, .. } => {
            all.insert("amount".to_owned(), amount(Some(withdrawn)));
            "withdrawn"
        }
        Change::Storage { unwritten } => {
            all.insert("unwritten".to_owned(), json!(unwritten));
            "storage"
        }
        Change::Activity { .. } => "activity",
        Change::Other { .. } => "other",
    };
    all.insert("change".to_owned(), json!(name));
    fields(&all, expected, change)
}
