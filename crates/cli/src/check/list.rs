//! A list of claims: CSV, or one JSON object a line. It is read whole, or not at all.

use saldo::{Address, Asset, U256};
use saldo_serve::claim_words::{self, PLACEHOLDERS};
use serde::Deserialize;
use serde_json::Value;

use crate::address;
use crate::failure::CommandFailure;

/// How many wrong lines are named one by one.
const NAMED: usize = 20;
/// The columns of a list without a header.
const COLUMNS: [&str; 4] = ["address", "asset", "amount", "block"];

/// One claim of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListedClaim {
    pub(crate) owner: Address,
    pub(crate) asset: Asset,
    pub(crate) amount: U256,
    pub(crate) block: Option<u64>,
}

/// Reads all claims of `text`.
///
/// # Errors
/// A usage failure that names each wrong line with its number. Then no claim of the list is used.
pub(crate) fn read(text: &str) -> Result<Vec<ListedClaim>, CommandFailure> {
    let (mut claims, mut wrong) = (Vec::new(), Vec::new());
    let mut columns: Option<Vec<usize>> = None;
    let lines = text.split('\n').map(str::trim).zip(1_usize..);
    for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        let is_first = columns.is_none() && claims.is_empty() && wrong.is_empty();
        let read = if line.starts_with('{') {
            of_json(line).map(Some)
        } else {
            of_csv(line, is_first, &mut columns)
        };
        match read {
            Ok(claim) => claims.extend(claim),
            Err(failure) => wrong.push(failure.at(&format!("line {number}"))),
        }
    }
    if !wrong.is_empty() {
        return Err(CommandFailure::of_all(wrong, NAMED));
    }
    if claims.is_empty() {
        let next = "Write lines such as `0x…,native,1.5 ether`, or JSON objects.";
        return Err(CommandFailure::usage("no_claims", "the list has no claim", next));
    }
    Ok(claims)
}

fn wrong_line(detail: &str) -> CommandFailure {
    let next =
        "A line is `address,asset,amount` or `address,asset,amount,block`, or a JSON object with these keys.";
    CommandFailure::usage("not_a_claim", detail, next)
}

/// Reads a line of CSV. The first one may be a header, which says the order of the columns; then there is no claim in it.
fn of_csv(
    line: &str,
    is_first: bool,
    columns: &mut Option<Vec<usize>>,
) -> Result<Option<ListedClaim>, CommandFailure> {
    let line = line.split('#').next().unwrap_or_default();
    let fields: Vec<&str> = line.split(',').map(|field| unquoted(field.trim())).collect();
    if fields.iter().any(|field| field.contains('"')) {
        return Err(wrong_line("a field has a quotation mark or a comma"));
    }
    if is_first && fields.iter().any(|field| field.eq_ignore_ascii_case("address")) {
        *columns = Some(header(&fields)?);
        return Ok(None);
    }
    let [owner, asset, amount, block] = match &*columns {
        Some(columns) if columns.len() != fields.len() => {
            return Err(wrong_line("the line has not as many fields as the header"));
        }
        None if !matches!(fields.len(), 3 | 4) => {
            return Err(wrong_line("a line has three or four fields with commas between them"));
        }
        _ => [0, 1, 2, 3].map(|column: usize| {
            let place = columns
                .as_ref()
                .map_or(Some(column), |columns| columns.iter().position(|known| *known == column));
            place.and_then(|place| fields.get(place)).copied().unwrap_or_default()
        }),
    };
    claim(owner, asset, amount, (!block.is_empty()).then_some(block)).map(Some)
}

fn unquoted(field: &str) -> &str {
    let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
    inner.map_or(field, str::trim)
}

/// The places in [`COLUMNS`] that the fields of a header name.
fn header(fields: &[&str]) -> Result<Vec<usize>, CommandFailure> {
    let place = |field: &&str| COLUMNS.iter().position(|column| field.eq_ignore_ascii_case(column));
    let places: Option<Vec<usize>> = fields.iter().map(place).collect();
    let Some(places) = places else {
        return Err(wrong_line("the header has a column other than address, asset, amount and block"));
    };
    let is_there = |column: &usize| places.iter().filter(|place| *place == column).count() == 1;
    if !(0..3).all(|column| is_there(&column)) || places.len() > 3 && !is_there(&3) {
        return Err(wrong_line(
            "the header names each of address, asset and amount once, and block at most once",
        ));
    }
    Ok(places)
}

/// The keys of a JSON object. The derived reader refuses any other key, and one that is there twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    address: Value,
    asset: Value,
    amount: Value,
    block: Option<Value>,
}

fn of_json(line: &str) -> Result<ListedClaim, CommandFailure> {
    let object: Object = serde_json::from_str(line).map_err(|_| {
        wrong_line("it is not a JSON object with address, asset, amount and at most block, each once")
    })?;
    let text = |value: &'_ Value, key: &str| match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        _ => Err(wrong_line(&format!("`{key}` is not a text"))),
    };
    let number = |value, key: &str| {
        claim_words::exact_number(value).map_err(|wrong| wrong_line(&format!("`{key}` {wrong}")))
    };
    let amount = number(&object.amount, "amount")?;
    let block = object.block.as_ref().map(|block| number(block, "block")).transpose()?;
    claim(&text(&object.address, "address")?, &text(&object.asset, "asset")?, &amount, block.as_deref())
}

fn claim(owner: &str, asset: &str, amount: &str, block: Option<&str>) -> Result<ListedClaim, CommandFailure> {
    let owner = address::parse(owner)?;
    let asset = self::asset(asset)?;
    let amount = claim_words::amount(amount, asset == Asset::Native).map_err(|detail| {
        let next = "Copy the amount in base units (for the native coin: wei).";
        CommandFailure::usage("not_an_amount", detail, next)
    })?;
    let block = block.map(self::block).transpose()?;
    Ok(ListedClaim { owner, asset, amount, block })
}

fn asset(text: &str) -> Result<Asset, CommandFailure> {
    if text.eq_ignore_ascii_case("native") || text.eq_ignore_ascii_case("eth") {
        return Ok(Asset::Native);
    }
    let usage = |code, detail, next_step| Err(CommandFailure::usage(code, detail, next_step));
    if !text.starts_with("0x") && !text.starts_with("0X") {
        return usage(
            "not_an_asset",
            "the asset is neither `native` nor the address of a token's contract",
            "Give the contract's address: any token can have any symbol.",
        );
    }
    let token = address::parse(text)?;
    if PLACEHOLDERS.contains(&token) {
        return usage(
            "native_coin",
            "this asset is no contract: some programs write it for the native coin",
            "Write `native`.",
        );
    }
    Ok(Asset::Erc20(token))
}

fn block(text: &str) -> Result<u64, CommandFailure> {
    claim_words::block(text).ok_or_else(|| {
        let next = "Give the number of the block that the amount was read at, or leave it out.";
        CommandFailure::usage("not_a_block", "the block is not a number", next)
    })
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
