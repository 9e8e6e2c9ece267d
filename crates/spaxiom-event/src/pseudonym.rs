//! Names of subjects to pseudonyms, the same for the same key.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::EventError;
use crate::ids::EntityId;

/// Shorter keys can be found by trying.
const MIN_KEY_BYTES: usize = 16;

/// Bytes of a pseudonym: two of 2^64 subjects would share one.
const N_BYTES: usize = 16;

/// Replaces entity ids by a keyed hash (HMAC-SHA-256): without the key nobody can tell or test who is meant.
#[derive(Clone)]
pub struct Pseudonymizer(Hmac<Sha256>);

impl Pseudonymizer {
    /// With the bytes of `key`.
    ///
    /// # Errors
    /// [`EventError::ShortKey`] below 16 bytes.
    pub fn new(key: &[u8]) -> Result<Self, EventError> {
        if key.len() < MIN_KEY_BYTES {
            return Err(EventError::ShortKey { want: MIN_KEY_BYTES, got: key.len() });
        }
        Ok(Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length")))
    }

    /// With the content of a file; white space at its ends is not part of the key.
    pub fn from_file(path: &Path) -> Result<Self, EventError> {
        Self::new(fs_err::read(path)?.trim_ascii())
    }

    /// The pseudonym: 32 hexadecimal digits.
    #[must_use]
    pub fn pseudonym(&self, entity: &str) -> EntityId {
        let mut mac = self.0.clone();
        mac.update(entity.as_bytes());
        let digest = mac.finalize().into_bytes();
        let first = <[u8; N_BYTES]>::try_from(&digest[..N_BYTES]).expect("a SHA-256 digest has 32 bytes");
        EntityId::from(format!("{:032x}", u128::from_be_bytes(first)))
    }
}

impl std::fmt::Debug for Pseudonymizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret: it must not reach a log.
        f.write_str("Pseudonymizer(..)")
    }
}
