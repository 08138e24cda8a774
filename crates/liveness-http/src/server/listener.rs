//! The listening socket.

use std::net::TcpListener;

use crate::config::ServeConfig;
use crate::host::start_error::StartError;

/// How many connections may wait to be accepted. The standard library asks the system for 128.
const BACKLOG: i32 = 1024;

/// Listens on the configured address. `serve --dev` listens on loopback only.
pub(super) fn listen(config: &ServeConfig) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(&config.bind).map_err(|error| StartError::Bind(config.bind.clone(), error))?;
    // A second `listen` changes the backlog. Clients that come all at once wait in it.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| StartError::Bind(config.bind.clone(), error.into()))?;
    let address = listener.local_addr()?;
    if config.dev && !address.ip().is_loopback() {
        return Err(StartError::DevBind(address));
    }
    Ok(listener)
}
