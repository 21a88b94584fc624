//! A release build is laid out by a profile (`.cargo/rustc`): with another one it is another build.

fn main() {
    println!("cargo::rerun-if-changed=.cargo/onus.profdata");
    println!("cargo::rerun-if-env-changed=ONUS_PROFILE");
}
