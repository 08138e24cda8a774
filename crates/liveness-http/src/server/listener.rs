//! The listening sockets.

use std::net::TcpListener;

use crate::host::start_error::StartError;

/// How many connections may wait to be accepted. The standard library asks the system for 128.
const BACKLOG: i32 = 1024;

/// Listens on the address of a setting. `serve --dev` listens on loopback only.
pub(super) fn listen(setting: &'static str, bind: &str, is_dev: bool) -> Result<TcpListener, StartError> {
    let failed = |error| StartError::Bind(setting, bind.to_owned(), error);
    let listener = TcpListener::bind(bind).map_err(failed)?;
    // A second `listen` changes the backlog. Clients that come all at once wait in it.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| failed(error.into()))?;
    let address = listener.local_addr()?;
    if is_dev && !address.ip().is_loopback() {
        return Err(StartError::DevBind(setting, address));
    }
    Ok(listener)
}
