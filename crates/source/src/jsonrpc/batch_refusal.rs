//! What an error says about the size of a batch. Its text is only searched, never shown.

use crate::batch_size::LARGEST_BATCH;

/// What an error's text says about the size of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimit {
    /// The largest batch that is allowed, if the text names it.
    pub(crate) largest: Option<usize>,
}

/// What the text of an error in answer to a batch of `calls` calls says about its size; `None` if it says nothing.
pub(crate) fn size_limit(message: &str, calls: usize) -> Option<SizeLimit> {
    /// Ways to say that a batch is too large. Text in lower case has all parts of one of them.
    const TEXTS: &[&[&str]] = &[
        &["batch"],
        // geth, for the calls of a batch that come after the size limit of all responses.
        &["response too large"],
        &["response size", "exceed"],
        &["too many calls"],
        &["multiple requests", "not"],
        &["request array"],
    ];
    let message = message.to_ascii_lowercase();
    let is_about_size = TEXTS.iter().any(|parts| parts.iter().all(|part| message.contains(part)));
    is_about_size.then(|| SizeLimit { largest: named_limit(&message, calls) })
}

/// The largest number in the text that is less than the size of the batch, and not part of a word.
fn named_limit(message: &str, calls: usize) -> Option<usize> {
    let words = message.split(|letter: char| !letter.is_ascii_alphanumeric());
    let numbers = words.filter_map(|word| word.parse::<usize>().ok());
    numbers.filter(|number| (1..calls.min(LARGEST_BATCH)).contains(number)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_real_providers_name_a_batch() {
        for (message, largest) in [
            (
                "Batch of more than 3 requests are not allowed on free tier, to use this feature register paid account",
                Some(3),
            ),
            ("batch size limit exceeded", None),
            ("batch too large", None),
            ("Batch size too large: 60 requests, the maximum is 20", Some(20)),
            ("maximum 10 calls in 1 batch", Some(10)),
            ("response too large", None),
            ("Response size exceeded. Maximum allowed response size is 26214400", None),
            ("Too many calls in one request", None),
            ("batch requests are not supported on http2 and tier7", None),
        ] {
            assert_eq!(size_limit(message, 60), Some(SizeLimit { largest }), "{message}");
        }
        for message in ["", "rate limit exceeded", "too many requests", "daily request limit reached: 10"] {
            assert_eq!(size_limit(message, 60), None, "{message}");
        }
    }
}
