use super::*;

#[test]
fn an_object_is_read_up_to_the_limit() {
    for encoding in [Encoding::Json, Encoding::Ssz] {
        let zeros = |got: usize| {
            let bytes = vec![0; got];
            decode::<OptimisticUpdate>(&bytes, encoding, None, &Network::mainnet()).unwrap_err()
        };
        let read = zeros(MAX_OBJECT_BYTES);
        assert!(matches!(read, DecodeError::Ssz(_) | DecodeError::Json(_)), "{read}");
        for more in [1, 2] {
            let refusal = zeros(MAX_OBJECT_BYTES.saturating_add(more));
            assert!(matches!(refusal, DecodeError::TooLarge { limit: MAX_OBJECT_BYTES, .. }), "{refusal}");
        }
    }
}
