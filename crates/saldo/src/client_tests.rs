use super::*;

/// Executors need futures that can move between threads. This test passes if it compiles.
#[test]
fn clients_and_their_futures_are_send() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_sent<T: Send>(_: &T) {}
    fn futures(client: &Client, owner: Address, holdings: &[Holding]) {
        is_sent(&client.balance(owner));
        is_sent(&client.account(owner));
        is_sent(&client.read(holdings));
        is_sent(&client.token(owner));
        is_sent(&client.block(BlockId::Latest));
        is_sent(&client.header(BlockId::Latest));
        is_sent(&client.full_block(BlockId::Latest));
        is_sent(&client.state(BlockId::Latest, &Query::default()));
        is_sent(&client.finalized(holdings));
        is_sent(&client.read_patiently(holdings, Duration::ZERO));
        is_sent(&client.proof(&[], Form::Compact));
        is_sent(&client.refresh(Duration::ZERO));
        is_sent(&client.watch([]));
    }
    is_shared::<Client>();
    let _ = futures;
}
