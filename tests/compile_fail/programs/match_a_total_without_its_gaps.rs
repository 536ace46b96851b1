use saldo::{Sum, Total};

fn show(total: &Total) -> String {
    match total.sum() {
        Sum::Proven(amount) => amount.format(18),
        Sum::Remembered { remembered, .. } => remembered.format(18),
        Sum::TooLarge => String::new(),
    }
}

fn main() {
    let _ = show;
}
