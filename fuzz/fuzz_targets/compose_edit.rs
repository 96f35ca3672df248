//! Compose and `.env` files as anybody may write them: what is read is edited or refused, an edit is
//! read back, and the same edit again has nothing to do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_core::compose::{Document, Dotenv, ImageEdit, Value, View, template};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    dotenv(text);
    let _ = template::parts(text);
    let Ok(document) = Document::parse(text) else { return };
    let services = document.at(&["services"]).map(View::entries).unwrap_or_default();
    let names: Vec<&str> = services.iter().map(|(name, ..)| *name).take(4).collect();
    for name in names {
        if let Ok(ImageEdit::Compose(new)) = document.set_image(name, "new/image:v1") {
            assert_eq!(new.at(&["services", name, "image"]).and_then(View::text), Some("new/image:v1"));
        }
        for key in ["image", "restart", "ports", "depends_on"] {
            scalar(&document, &["services", name, key]);
        }
    }
});

fn scalar(document: &Document, path: &[&str]) {
    let Ok(new) = document.set(path, &Value::text("a value: 'it'")) else { return };
    assert_eq!(new.at(path).and_then(View::text), Some("a value: 'it'"));
    assert_eq!(new.documents(), document.documents());
    assert_eq!(new.text().starts_with('\u{feff}'), document.text().starts_with('\u{feff}'));
    // The same edit again has nothing to do.
    let again = new.set(path, &Value::text("a value: 'it'"));
    assert_eq!(again.ok().as_ref().map(Document::text), Some(new.text()));
}

fn dotenv(text: &str) {
    let Ok(file) = Dotenv::parse(text) else { return };
    let Ok(new) = file.set("TAG", "v1 # it's $x") else { return };
    assert_eq!(new.get("TAG").map(|tag| tag.value.as_str()), Some("v1 # it's $x"));
    let others = |file: &Dotenv| -> Vec<(String, String)> {
        let kept = file.variables().iter().filter(|one| one.name != "TAG");
        kept.map(|one| (one.name.clone(), one.value.clone())).collect()
    };
    assert_eq!(others(&file), others(&new));
}
