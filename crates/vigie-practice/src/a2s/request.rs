//! Reads one A2S request. Anything that is not exactly one is junk.

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Info,
    Players,
    Rules,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) ask: Ask,
    /// The challenge, as the four bytes came.
    pub(super) challenge: Option<[u8; 4]>,
}

const INFO: &[u8] = b"TSource Engine Query\0";

/// The request in a datagram, or `None` for junk.
pub(super) fn parse(datagram: &[u8]) -> Option<Request> {
    let body = datagram.strip_prefix(b"\xff\xff\xff\xff")?;
    let (ask, rest) = match body.first()? {
        b'T' => (Ask::Info, body.strip_prefix(INFO)?),
        b'U' => (Ask::Players, body.get(1..)?),
        b'V' => (Ask::Rules, body.get(1..)?),
        _ => return None,
    };
    let challenge = match rest {
        [] => None,
        [a, b, c, d] => Some([*a, *b, *c, *d]),
        _ => return None,
    };
    Some(Request { ask, challenge })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_requests() {
        let info = b"\xff\xff\xff\xffTSource Engine Query\0";
        assert_eq!(info.len(), 25);
        assert_eq!(parse(info), Some(Request { ask: Ask::Info, challenge: None }));
        assert_eq!(
            parse(b"\xff\xff\xff\xffU\x01\x02\x03\x04"),
            Some(Request { ask: Ask::Players, challenge: Some([1, 2, 3, 4]) })
        );
        assert_eq!(parse(b"\xff\xff\xff\xffV"), Some(Request { ask: Ask::Rules, challenge: None }));
    }

    #[test]
    fn ignores_the_rest() {
        for junk in [
            &b""[..],
            b"\xff\xff\xff\xff",
            b"\xff\xff\xff\xffTSource Engine Query",
            b"\xff\xff\xff\xffTSource Engine Query\0\x01",
            b"\xff\xff\xff\xffU\x01",
            b"\xff\xff\xff\xffW",
            b"\xfe\xff\xff\xffU",
        ] {
            assert_eq!(parse(junk), None, "{junk:?}");
        }
    }
}
