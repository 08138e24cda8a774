//! Reads the one private key of a PEM file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

pub(super) const BEGIN: &str = "-----BEGIN ";
pub(super) const MARKER: &str = "-----";
pub(super) const PRIVATE_KEY: &str = "PRIVATE KEY";

/// The bytes of the one private key of a PEM file.
pub(super) fn read_pem(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let label = |line: &str| Some(line.strip_prefix(BEGIN)?.trim_end().strip_suffix(MARKER)?.to_owned());
    let labels: Vec<String> = pem.lines().filter_map(label).collect();
    let private: Vec<&String> = labels.iter().filter(|label| label.ends_with(PRIVATE_KEY)).collect();
    match private[..] {
        [label] if label == PRIVATE_KEY => {}
        [label] if label.starts_with("ENCRYPTED") => return Err(KeyError::Encrypted),
        [label] => return Err(KeyError::Other(format!("a program that calls it {label:?}"))),
        [] if labels.iter().any(|label| label.ends_with("PUBLIC KEY")) => return Err(KeyError::Public),
        [] => return Err(KeyError::Missing),
        _ => return Err(KeyError::Several(private.len())),
    }
    let begin = format!("{BEGIN}{PRIVATE_KEY}{MARKER}");
    let end = format!("-----END {PRIVATE_KEY}{MARKER}");
    let (_, rest) = pem.split_once(&begin).ok_or(KeyError::Broken)?;
    let (body, _) = rest.split_once(&end).ok_or(KeyError::Broken)?;
    let mut encoded = Zeroizing::new(String::with_capacity(body.len()));
    encoded.extend(body.chars().filter(|letter| !letter.is_ascii_whitespace()));
    STANDARD
        .decode(encoded.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| KeyError::Broken)
}

/// What a PKCS#8 document that is not for Ed25519 is for, by the identifier of its algorithm.
pub(super) fn other_algorithm(der: &[u8]) -> KeyError {
    const ALGORITHMS: [(&[u8], &str); 5] = [
        (&[0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1], "RSA"),
        (&[0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10], "RSA-PSS"),
        (&[0x06, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1], "ECDSA or ECDH"),
        (&[0x06, 3, 0x2B, 0x65, 0x6E], "X25519"),
        (&[0x06, 3, 0x2B, 0x65, 0x71], "Ed448"),
    ];
    let head = &der[..der.len().min(32)];
    let is_in_head = |id: &[u8]| head.windows(id.len()).any(|window| window == id);
    let found = ALGORITHMS.iter().find(|(id, _)| is_in_head(id));
    found.map_or(KeyError::Broken, |(_, name)| KeyError::Other((*name).to_owned()))
}
