//! The review page, from the settings.

use crate::config::ServeConfig;
use crate::pages::admin::{ReviewPage, SignIn, SignInError};

/// Reads how reviewers sign in.
///
/// # Errors
///
/// When only one of the two settings is there, or one of them cannot be used.
pub(crate) fn configured_page(config: &ServeConfig) -> Result<ReviewPage, SignInError> {
    let (issuer, client_id) = match (&config.oidc.oidc_issuer, &config.oidc.oidc_client_id) {
        (None, None) => return Ok(ReviewPage::default()),
        (Some(_), Some(_)) if config.dev => return Err(SignInError::Dev),
        (Some(issuer), Some(client_id)) => (issuer, client_id),
        _ => return Err(SignInError::Incomplete),
    };
    let role = config.token.role_names.theirs("admin");
    let mut sign_in = SignIn::new(issuer, client_id)?
        .scopes(&config.oidc.oidc_scopes)?
        .role(role);
    if let Some(audience) = config.token.audience() {
        sign_in = sign_in.audience(audience);
    }
    Ok(ReviewPage::default().sign_in(sign_in))
}
