mod action;
mod claim;
mod wallet;
mod way;
