//! The few MySQL packets that a polite visitor needs.
//!
//! A visitor that hangs up on the greeting counts as a failed handshake, and
//! the server bans its address after a hundred of them. So this one logs in
//! as nobody and is refused, which counts as nothing.

use std::io::{self, Read, Write};

/// The longest packet that is read; a greeting has about a hundred bytes.
const LONGEST: usize = 1024;

/// PROTOCOL_41, SECURE_CONNECTION and PLUGIN_AUTH.
const CAPABILITIES: u32 = 0x200 | 0x8000 | 0x8_0000;

/// Reads one packet: three bytes of length, the sequence number, the payload.
pub(super) fn read(from: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    from.read_exact(&mut header)?;
    let [a, b, c, sequence] = header;
    let length = u32::from_le_bytes([a, b, c, 0]) as usize;
    if length == 0 || length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut payload = [0; LONGEST];
    let payload = payload.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
    from.read_exact(payload)?;
    Ok((sequence, payload.to_vec()))
}

/// Writes one packet.
pub(super) fn write(to: &mut impl Write, sequence: u8, payload: &[u8]) -> io::Result<()> {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap_or(0).to_le_bytes();
    to.write_all(&[&[a, b, c, sequence], payload].concat())
}

/// The error in a payload, like `Too many connections (1040)`.
pub(super) fn error(payload: &[u8]) -> Option<String> {
    let (code, text) = payload.strip_prefix(&[0xff])?.split_first_chunk()?;
    // `#` and five characters of SQL state, except before the handshake.
    let text = text.strip_prefix(b"#").and_then(|text| text.get(5..)).unwrap_or(text);
    let text: String = String::from_utf8_lossy(text).chars().take(200).collect();
    Some(format!("{} ({})", text.replace(['\r', '\n'], " "), u16::from_le_bytes(*code)))
}

/// The login of nobody, with the plugin that the server proposed.
pub(super) fn login(plugin: &[u8]) -> Vec<u8> {
    let mut payload = CAPABILITIES.to_le_bytes().to_vec();
    payload.extend((LONGEST as u32).to_le_bytes());
    payload.push(45); // utf8mb4
    payload.extend([0; 23]);
    payload.extend(b"vigie_practice\0");
    payload.push(0); // an empty password
    payload.extend(plugin);
    payload.push(0);
    payload
}

/// The plugin named at the end of a greeting of protocol 10.
pub(super) fn plugin(greeting: &[u8]) -> &[u8] {
    greeting
        .strip_suffix(b"\0")
        .and_then(|text| text.rsplit(|byte| *byte == 0).next())
        .filter(|name| {
            name.len() < 64 && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
        })
        .filter(|name| !name.is_empty())
        .unwrap_or(b"mysql_native_password")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_plugin_and_the_errors() {
        assert_eq!(plugin(b"\x0a8.0\0salt\0caching_sha2_password\0"), b"caching_sha2_password");
        assert_eq!(plugin(b""), b"mysql_native_password");
        assert_eq!(
            error(b"\xff\x10\x04#08004Too many connections"),
            Some("Too many connections (1040)".to_owned())
        );
        assert_eq!(error(b"\xff\x10\x04Too many\n"), Some("Too many  (1040)".to_owned()));
        assert_eq!(error(b"\x0a"), None);
    }

    proptest! {
        #[test]
        fn junk_never_kills_it(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read(&mut &bytes[..]);
            let _ = error(&bytes);
            login(plugin(&bytes));
        }
    }
}
