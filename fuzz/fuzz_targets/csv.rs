//! The file of `users import`, against the crate csv.

#![no_main]

use std::collections::HashMap;

use csv::{QuoteStyle, ReaderBuilder, WriterBuilder};
use libfuzzer_sys::fuzz_target;
use liveness_core::User;
use liveness_http::cli::users_of_csv;

const COLUMNS: [&str; 7] = [
    "id",
    "userId",
    "preRegistrationId",
    "email",
    "givenName",
    "familyName",
    "middleName",
];

fn cells(user: &User) -> [Option<String>; 7] {
    [
        Some(user.id.to_string()),
        Some(user.user_id.clone()),
        user.pre_registration_id.map(|id| id.to_string()),
        user.email_address.clone(),
        user.first_name.clone(),
        user.last_name.clone(),
        user.middle_name.clone(),
    ]
}

/// The rows that the crate csv reads, by the names of their columns. Blank rows are none.
fn by_csv(text: &[u8]) -> Vec<HashMap<String, String>> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text);
    let records: Vec<_> = reader.byte_records().map(Result::unwrap).collect();
    let mut rows = records.iter().map(|record| {
        let cells = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned());
        cells.collect::<Vec<_>>()
    });
    let header = rows.next().unwrap_or_default();
    rows.map(|row| header.iter().cloned().zip(row).collect()).collect()
}

/// The users that are read from what the crate csv writes of the users.
fn again(users: &[&User]) -> Vec<User> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .from_writer(Vec::new());
    let header = COLUMNS.iter().copied().chain(["displayName"]);
    writer.write_record(header).unwrap();
    for user in users {
        let cells = cells(user).into_iter().chain([user.display_name.clone()]);
        writer.write_record(cells.map(Option::unwrap_or_default)).unwrap();
    }
    let read = users_of_csv(writer.into_inner().unwrap()).expect("what csv writes is a file");
    read.into_iter()
        .map(|user| user.expect("a good user is good again"))
        .collect()
}

fuzz_target!(|text: &[u8]| {
    let Some(read) = users_of_csv(text.to_vec()) else {
        return;
    };
    let users: Vec<_> = read.iter().filter_map(|user| user.as_ref().ok()).collect();
    assert!(users.iter().all(|user| user.id >= 1));
    if !users.is_empty() {
        assert!(again(&users).iter().eq(users.iter().copied()));
    }
    for errors in read.iter().filter_map(|user| user.as_ref().err()) {
        assert!(!errors.is_empty() && errors.len() <= 8);
        assert!(
            errors.iter().all(|error| error.len() <= 200 && error.is_ascii()),
            "{errors:?}"
        );
    }

    // csv takes white space for a part of the cell, and text behind a quote too. Blank rows of white space are not blank to it.
    let is_special = |byte: &u8| byte.is_ascii_whitespace() && !matches!(byte, b'\n' | b'\r');
    let is_strict = read
        .iter()
        .all(|user| !matches!(user, Err(errors) if errors[0].contains("quote")));
    if text.iter().any(is_special) || !is_strict {
        return;
    }
    let rows = by_csv(text);
    assert_eq!(rows.len(), read.len());
    for (row, user) in rows.iter().zip(read).filter_map(|(row, user)| Some((row, user.ok()?))) {
        for (column, cell) in COLUMNS.into_iter().zip(cells(&user)) {
            let given = row.get(column).filter(|cell| !cell.is_empty());
            assert!(
                given == cell.as_ref() || given.is_none() && column == "userId",
                "{column}"
            );
        }
    }
});
