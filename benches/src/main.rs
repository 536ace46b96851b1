//! Speed beside its limit, in the same run: an account proof's verification and the hashing it cannot do without.
//!
//!     cargo run --release -p saldo-benches [path of a file of real-getproof vectors]

mod proof;

fn main() {
    let path = std::env::args_os().nth(1).map_or_else(
        || std::path::PathBuf::from("../shared/vectors/mpt/real-getproof/helios.json"),
        std::path::PathBuf::from,
    );
    match proof::measure(&path) {
        Ok(report) => println!("{report}"),
        Err(why) => {
            eprintln!("{}: {why}", path.display());
            std::process::exit(1);
        }
    }
}
