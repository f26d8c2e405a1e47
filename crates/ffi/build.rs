//! Links the library so that it is never unloaded: its panic hook and thread-local data outlive a Lua state.

fn main() {
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libaws_masker.so");
    println!("cargo::rerun-if-changed=build.rs");
}
