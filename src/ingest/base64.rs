//! Base64 as queues, exports and tokens write it: either alphabet, in lines or not, with or without its padding.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ANY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes; None where it is no base64.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let one = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    };
    let text = text.trim_ascii().bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).map(one);
    ANY.decode(text.collect::<Vec<u8>>()).ok()
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn both_alphabets_are_read_and_what_is_none_is_refused() {
        assert_eq!(base64("e30=").as_deref(), Some(b"{}".as_slice()));
        assert_eq!(base64("e30").as_deref(), Some(b"{}".as_slice()));
        assert_eq!(base64("-_8"), base64("+/8="));
        for wrong in ["e", "e3!", "e31", "a b"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
    }
}
