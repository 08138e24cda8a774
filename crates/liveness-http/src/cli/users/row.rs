//! One line of an import: its rules, and the user that it becomes.

use std::borrow::Cow;
use std::fmt;

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

/// A broken rule in a line. It does not contain the value.
pub(super) struct RowError {
    /// `None` when the line itself is wrong.
    field: Option<&'static str>,
    rule: String,
}

impl RowError {
    pub(super) fn new(field: &'static str, rule: String) -> Self {
        let field = Some(field);
        Self { field, rule }
    }

    /// A rule that the line itself breaks.
    pub(super) fn of_row(rule: String) -> Self {
        Self { field: None, rule }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.rule),
            None => f.write_str(&self.rule),
        }
    }
}

/// A good line. The outer `Option` of a column says whether the file has the column, the inner one whether the cell is
/// filled.
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
    /// Reads the cells of a line. `columns` says which column each cell belongs to.
    pub(super) fn parse(columns: &[usize], record: &[Cow<'_, [u8]>]) -> Result<Self, Vec<RowError>> {
        if record.len() != columns.len() {
            let rule = format!("it has {} cells, and must have {}", record.len(), columns.len());
            return Err(vec![RowError::of_row(rule)]);
        }
        let mut cells = Cells {
            columns,
            record,
            errors: Vec::new(),
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
        if cells.errors.is_empty() {
            Ok(row)
        } else {
            Err(cells.errors)
        }
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// The user after this line. Columns that the file does not have are taken from the known user.
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

/// The cells of a line, and the errors in them.
struct Cells<'a> {
    columns: &'a [usize],
    record: &'a [Cow<'a, [u8]>],
    errors: Vec<RowError>,
}

impl Cells<'_> {
    fn text(&mut self, column: usize, fits: fn(&str) -> bool, otherwise: &str) -> Option<Option<String>> {
        let place = self.columns.iter().position(|of| *of == column)?;
        let bytes = self.record.get(place)?;
        let rule = match std::str::from_utf8(bytes) {
            Ok("") => return Some(None),
            Ok(text) => match User::check_text(text) {
                Ok(()) if fits(text) => return Some(Some(text.to_owned())),
                Ok(()) => otherwise,
                Err(violation) => violation.message(),
            },
            Err(_) => "must be UTF-8",
        };
        self.errors.push(RowError::new(COLUMNS[column], rule.to_owned()));
        Some(None)
    }

    fn number(&mut self, column: usize) -> Option<Option<i64>> {
        let is_id = |text: &str| matches!(UserReference::parse(text), UserReference::Id(_));
        let errors = self.errors.len();
        let number = self.text(column, is_id, "must be a whole number from 1")?;
        if COLUMNS[column] == "id" && number.is_none() && self.errors.len() == errors {
            self.errors.push(RowError::new("id", "must be there".to_owned()));
        }
        Some(number.and_then(|text| text.parse().ok()))
    }
}

/// A number is taken for an id, so a `UserId` that is a number could never be found.
fn is_user_id(text: &str) -> bool {
    matches!(UserReference::parse(text), UserReference::UserId(_))
}

fn is_email(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| is_part(local) && is_part(domain))
}
