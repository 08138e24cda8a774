//! The pages of a list, as a query asks for them and as a reply counts them.

use liveness_core::store::PageRequest;

/// The rows of a page where the query does not say.
const DEFAULT_PAGE_SIZE: i64 = 20;

/// The page that a query asks for.
pub(super) fn requested(number: Option<i64>, size: Option<i64>) -> PageRequest {
    PageRequest {
        number: number.unwrap_or(1),
        size: size.unwrap_or(DEFAULT_PAGE_SIZE),
    }
}

/// How many pages so many rows have.
pub(super) fn total_pages(total: i64, page: PageRequest) -> i64 {
    total.div_euclid(page.size) + i64::from(total % page.size != 0)
}
