//! One line of an import: its rules, and the user that it makes.

use std::fmt;

use csv::ByteRecord;
use liveness_core::{Claims, User, UserReference};

/// The columns, as `users import --help` explains them.
pub(super) const COLUMNS: [&str; 8] = [
    "id",
    "userId",
    "preRegistrationId",
    "email",
    "givenName",
    "familyName",
    "middleName",
    "displayName",
];

const MAX_CHARACTERS: usize = 255;

/// What is wrong with a line, without what stands there.
pub(super) struct Wrong {
    /// None where it is the line itself.
    field: Option<&'static str>,
    rule: String,
}

impl Wrong {
    pub(super) fn new(field: &'static str, rule: String) -> Self {
        let field = Some(field);
        Self { field, rule }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.rule),
            None => f.write_str(&self.rule),
        }
    }
}

/// A line that is good. Of each column: whether the file has it, and whether there is something in it.
pub(super) struct Row {
    id: i64,
    user_id: Option<Option<String>>,
    pre_registration_id: Option<Option<i64>>,
    email: Option<Option<String>>,
    given_name: Option<Option<String>>,
    family_name: Option<Option<String>>,
    middle_name: Option<Option<String>>,
    display_name: Option<Option<String>>,
}

impl Row {
    /// Reads the cells of a line, each of which belongs to the column of its place.
    pub(super) fn parse(columns: &[usize], record: &ByteRecord) -> Result<Self, Vec<Wrong>> {
        if record.len() != columns.len() {
            let rule = format!("it has {} cells, and must have {}", record.len(), columns.len());
            return Err(vec![Wrong { field: None, rule }]);
        }
        let mut cells = Cells {
            columns,
            record,
            wrongs: Vec::new(),
        };
        let row = Self {
            id: cells.number(0).flatten().unwrap_or_default(),
            user_id: cells.text(1, is_user_id, "must not be a number, which is an id"),
            pre_registration_id: cells.number(2),
            email: cells.text(3, is_email, "must be an electronic mail address"),
            given_name: cells.text(4, |_| true, ""),
            family_name: cells.text(5, |_| true, ""),
            middle_name: cells.text(6, |_| true, ""),
            display_name: cells.text(7, |_| true, ""),
        };
        if cells.wrongs.is_empty() {
            Ok(row)
        } else {
            Err(cells.wrongs)
        }
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// The user as this line would have them, where they are known or not.
    pub(super) fn user(self, known: Option<&User>) -> User {
        let or_known = |column: Option<Option<String>>, field: fn(&User) -> &Option<String>| {
            column.unwrap_or_else(|| known.and_then(|user| field(user).clone()))
        };
        let has_display_name = self.display_name.is_some();
        let claims = Claims {
            email: or_known(self.email, |user| &user.email_address),
            given_name: or_known(self.given_name, |user| &user.first_name),
            family_name: or_known(self.family_name, |user| &user.last_name),
            middle_name: or_known(self.middle_name, |user| &user.middle_name),
            name: or_known(self.display_name, |user| &user.display_name),
            pre_registration_id: self
                .pre_registration_id
                .unwrap_or_else(|| known.and_then(|user| user.pre_registration_id)),
            ..Claims::of(UserReference::Id(self.id))
        };
        let mut user = claims.to_user(self.id);
        match (self.user_id.flatten(), known) {
            (Some(user_id), _) => user.user_id = user_id,
            (None, Some(known)) => user.user_id.clone_from(&known.user_id),
            (None, None) => {}
        }
        if let (false, Some(known)) = (has_display_name, known) {
            user.display_name.clone_from(&known.display_name);
        }
        user
    }
}

/// The cells of a line, and what was wrong with them.
struct Cells<'a> {
    columns: &'a [usize],
    record: &'a ByteRecord,
    wrongs: Vec<Wrong>,
}

impl Cells<'_> {
    fn text(&mut self, column: usize, fits: fn(&str) -> bool, otherwise: &str) -> Option<Option<String>> {
        let place = self.columns.iter().position(|of| *of == column)?;
        let bytes = self.record.get(place)?;
        let rule = match std::str::from_utf8(bytes) {
            Ok("") => return Some(None),
            Ok(text) if text.contains(char::is_control) => "must not hold control characters or line breaks".to_owned(),
            Ok(text) if text.chars().count() > MAX_CHARACTERS => {
                format!("must have at most {MAX_CHARACTERS} characters")
            }
            Ok(text) if fits(text) => return Some(Some(text.to_owned())),
            Ok(_) => otherwise.to_owned(),
            Err(_) => "must be UTF-8".to_owned(),
        };
        self.wrongs.push(Wrong::new(COLUMNS[column], rule));
        Some(None)
    }

    fn number(&mut self, column: usize) -> Option<Option<i64>> {
        let is_id = |text: &str| matches!(UserReference::parse(text), UserReference::Id(_));
        let wrongs = self.wrongs.len();
        let number = self.text(column, is_id, "must be a whole number from 1")?;
        if COLUMNS[column] == "id" && number.is_none() && self.wrongs.len() == wrongs {
            self.wrongs.push(Wrong::new("id", "must be there".to_owned()));
        }
        Some(number.and_then(|text| text.parse().ok()))
    }
}

/// A number in a token is an id, so nobody could be found by it.
fn is_user_id(text: &str) -> bool {
    matches!(UserReference::parse(text), UserReference::UserId(_))
}

fn is_email(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| is_part(local) && is_part(domain))
}
