//! The bytes of a row, for its digest: `docs/trail.md#records`.
//!
//! Each value is a tag and its bytes, so that no two rows have the same bytes.

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const BYTES: u8 = 3;

/// A value of a column.
pub(crate) trait CanonicalValue {
    /// Adds the value to the bytes of its row.
    fn push(&self, row: &mut Vec<u8>);
}

impl CanonicalValue for i64 {
    fn push(&self, row: &mut Vec<u8>) {
        row.push(INTEGER);
        row.extend(self.to_be_bytes());
    }
}

impl CanonicalValue for i32 {
    fn push(&self, row: &mut Vec<u8>) {
        i64::from(*self).push(row);
    }
}

impl CanonicalValue for bool {
    fn push(&self, row: &mut Vec<u8>) {
        i64::from(*self).push(row);
    }
}

impl CanonicalValue for f64 {
    fn push(&self, row: &mut Vec<u8>) {
        // SQLite keeps no sign of a zero.
        let value = if *self == 0.0 { 0.0 } else { *self };
        row.push(REAL);
        row.extend(value.to_be_bytes());
    }
}

impl CanonicalValue for [u8] {
    fn push(&self, row: &mut Vec<u8>) {
        row.push(BYTES);
        row.extend((self.len() as u64).to_be_bytes());
        row.extend(self);
    }
}

impl CanonicalValue for str {
    fn push(&self, row: &mut Vec<u8>) {
        self.as_bytes().push(row);
    }
}

impl CanonicalValue for Vec<u8> {
    fn push(&self, row: &mut Vec<u8>) {
        self.as_slice().push(row);
    }
}

impl CanonicalValue for String {
    fn push(&self, row: &mut Vec<u8>) {
        self.as_str().push(row);
    }
}

impl<T: CanonicalValue + ?Sized> CanonicalValue for &T {
    fn push(&self, row: &mut Vec<u8>) {
        (**self).push(row);
    }
}

impl<T: CanonicalValue> CanonicalValue for Option<T> {
    fn push(&self, row: &mut Vec<u8>) {
        match self {
            Some(value) => value.push(row),
            None => row.push(NULL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[&dyn CanonicalValue]) -> Vec<u8> {
        let mut row = Vec::new();
        for value in values {
            value.push(&mut row);
        }
        row
    }

    #[test]
    fn rows_that_differ_have_other_bytes() {
        let rows: [&[&dyn CanonicalValue]; 8] = [
            &[&"a", &"bc"],
            &[&"ab", &"c"],
            &[&"ab", &"c", &None::<i64>],
            &[&None::<&str>, &"abc"],
            &[&"", &"abc"],
            &[&1_i64, &"abc"],
            &[&1.0, &"abc"],
            &[&Some(1.0), &Some("abd")],
        ];
        let mut all: Vec<_> = rows.iter().map(|row| bytes(row)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), rows.len());
    }

    #[test]
    fn the_bytes_are_those_of_the_document() {
        assert_eq!(
            bytes(&[&true, &-0.0, &Some("é"), &None::<i32>]),
            [
                &[1, 0, 0, 0, 0, 0, 0, 0, 1][..],
                &[2, 0, 0, 0, 0, 0, 0, 0, 0],
                &[3, 0, 0, 0, 0, 0, 0, 0, 2, 0xC3, 0xA9],
                &[0],
            ]
            .concat()
        );
    }
}
