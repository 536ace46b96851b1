// A storage root is not a state root: an account cannot be verified under a storage root.
fn check(root: saldo_proof::StorageRoot, owner: saldo::Address, proof: &[Vec<u8>]) {
    let _ = saldo_proof::verify_account(root, owner, proof);
}

fn main() {
    let _ = check;
}
