//! Writes `include/aws_masker.h` from the exported functions. Run by `make header`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    cbindgen::generate_with_config(root, config)?.write_to_file(root.join("include/aws_masker.h"));
    Ok(())
}
