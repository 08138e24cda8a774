//! The settings of webhooks: where they are sent, and with which secrets they are signed.

use std::path::{Path, PathBuf};

use clap::Args;
use prometheus_client::metrics::gauge::Gauge;
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::addresses::{WebhookNetworks, literal};
use super::error::WebhookError;
use super::receiver::Receiver;
use super::signing::SigningKeys;
use crate::environment::credential;
use crate::file_watcher::FileWatcher;
use crate::http_client;
use crate::text_file;
use crate::url_file::UrlFile;

/// The credential that counts as the file, where systemd hands it over and no file is named.
pub(crate) const CREDENTIAL: &str = "liveness.webhook-secret";

/// The settings of webhooks. It has no `Debug`, because it holds secrets.
#[derive(Clone, Args)]
pub struct WebhookConfig {
    /// Where events are sent (Standard Webhooks 1.0): an https:// URL, or http:// on this machine. It needs a secret.
    #[arg(long, env = "LIVENESS_WEBHOOK_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) webhook_url: Option<String>,

    /// File with that URL, so that a key in it is not in the environment. White space around it does not count.
    #[arg(
        long,
        env = "LIVENESS_WEBHOOK_URL_FILE",
        value_name = "FILE",
        conflicts_with = "webhook_url"
    )]
    pub(crate) webhook_url_file: Option<UrlFile>,

    /// Secret that webhooks are signed with, whsec_ and Base64 of 24 to 64 bytes; two with a space between while one is replaced. Set
    /// it in the environment: the list of processes shows flags.
    #[arg(long, env = "LIVENESS_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) webhook_secret: Option<String>,

    /// File with the secret, or two, so that they are not in the environment. Read again when it changes.
    #[arg(long, env = "LIVENESS_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    pub(crate) webhook_secret_file: Option<PathBuf>,

    /// Networks that webhooks may be sent to besides the public internet: 10.0.0.0/8,fd00::/8.
    #[arg(
        long,
        env = "LIVENESS_WEBHOOK_NETWORKS",
        value_name = "NETWORKS",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) webhook_networks: WebhookNetworks,

    /// Proxy that webhooks are sent through (CONNECT), which then decides by itself whom it dials: `http://proxy.example:4750`.
    #[arg(long, env = "LIVENESS_WEBHOOK_PROXY", value_name = "URL", hide_env_values = true)]
    pub(crate) webhook_proxy: Option<String>,
}

/// Reads the URL. It is no parser of the command line, which would repeat the value: it may hold a secret.
fn webhook_url(text: &str) -> Result<Uri, WebhookError> {
    // An address in brackets with a zone, such as %eth0, is no address.
    let is_whole = |url: &Uri| {
        url.host()
            .is_some_and(|host| !host.starts_with('[') || literal(host).is_some())
    };
    http_client::allowed_url(text).filter(is_whole).ok_or(WebhookError::Url)
}

/// Reads the URL of the proxy, which may hold a password.
fn proxy(text: &str) -> Result<ureq::Proxy, WebhookError> {
    let is_http = text.starts_with("http://") || text.starts_with("https://");
    let proxy = ureq::Proxy::new(text).ok().filter(|_| is_http);
    proxy.ok_or(WebhookError::Proxy)
}

/// What the settings say, and the file that the secrets are read from.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredWebhooks {
    receiver: Receiver,
    file: Option<(PathBuf, FileWatcher)>,
}

impl WebhookConfig {
    /// Where events are sent, if anywhere. It is not checked yet.
    pub(crate) fn url(&self) -> Option<&str> {
        let of_file = self.webhook_url_file.as_ref().map(UrlFile::url);
        of_file.or(self.webhook_url.as_deref())
    }

    /// The file of the secrets: that of the settings, or of systemd.
    pub(crate) fn secret_file(&self) -> Option<PathBuf> {
        let handed_over = || self.url().and_then(|_| credential(CREDENTIAL));
        self.webhook_secret_file.clone().or_else(handed_over)
    }

    /// Reads the secrets. `None` if no webhooks are to be sent.
    ///
    /// # Errors
    ///
    /// [`WebhookError`].
    pub(crate) fn configured(&self) -> Result<Option<ConfiguredWebhooks>, WebhookError> {
        let Some(url) = self.url() else {
            return self.has_no_url().map(|()| None);
        };
        let url = webhook_url(url)?;
        let proxy = self.webhook_proxy.as_deref().map(proxy).transpose()?;
        // Before the file is read, so that no change is missed.
        let file = self.secret_file();
        let file = file.map(|file| (file.clone(), FileWatcher::new(&[file])));
        let keys = match (&self.webhook_secret, &file) {
            (None, None) => return Err(WebhookError::NoSecret),
            (Some(_), Some((file, _))) => return Err(WebhookError::Twice(file.display().to_string())),
            (Some(secret), None) => SigningKeys::parse(secret.as_bytes()).map_err(WebhookError::Secret)?,
            (None, Some((file, _))) => read_keys(file)?,
        };
        let receiver = Receiver::new(url, &self.webhook_networks, proxy, keys)?;
        Ok(Some(ConfiguredWebhooks { receiver, file }))
    }

    /// A secret alone is a mistake: somebody waits for webhooks.
    fn has_no_url(&self) -> Result<(), WebhookError> {
        let set = [
            (self.webhook_secret.is_some(), "LIVENESS_WEBHOOK_SECRET"),
            (self.webhook_secret_file.is_some(), "LIVENESS_WEBHOOK_SECRET_FILE"),
            (self.webhook_proxy.is_some(), "LIVENESS_WEBHOOK_PROXY"),
            (
                self.webhook_networks != WebhookNetworks::default(),
                "LIVENESS_WEBHOOK_NETWORKS",
            ),
        ];
        match set.into_iter().find(|(is_set, _)| *is_set) {
            Some((_, setting)) => Err(WebhookError::NoUrl(setting)),
            None => Ok(()),
        }
    }
}

impl ConfiguredWebhooks {
    pub(crate) fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// 1 while the file of the secrets has changed and cannot be used. `None` if there is no file.
    pub(crate) fn is_stale(&self) -> Option<&Gauge> {
        self.file.as_ref().map(|(_, watcher)| watcher.is_stale())
    }

    /// Reads the file of the secrets again within 5 s of each change. While it cannot be used, those from before sign. This never
    /// returns, unless there is no file.
    pub(crate) async fn follow_file(self) {
        let Self { receiver, file } = self;
        let Some((path, watcher)) = file else { return };
        let reload = move || {
            let read = read_keys(&path);
            let keys = read.map_err(|error| format!("webhooks are signed with the secrets from before: {error}"))?;
            log::info!("webhooks are signed with {} secrets from now on", keys.count());
            receiver.replace_keys(keys);
            Ok(())
        };
        watcher.run(reload).await;
    }
}

fn read_keys(file: &Path) -> Result<SigningKeys, WebhookError> {
    let name = || file.display().to_string();
    let text = text_file::read(file).map_err(|error| WebhookError::Unread(name(), error))?;
    SigningKeys::parse(&Zeroizing::new(text)).map_err(|error| WebhookError::SecretFile(name(), error))
}

#[cfg(test)]
mod tests {
    use liveness_core::Timestamp;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn config(url: &str) -> WebhookConfig {
        WebhookConfig {
            webhook_url: Some(url.to_owned()),
            webhook_url_file: None,
            webhook_secret: Some(SECRET.to_owned()),
            webhook_secret_file: None,
            webhook_networks: WebhookNetworks::default(),
            webhook_proxy: None,
        }
    }

    fn refusal(config: &WebhookConfig) -> String {
        config.configured().unwrap_err().to_string()
    }

    #[test]
    fn a_url_is_https_or_of_this_machine_and_is_not_repeated_when_it_is_not() {
        for url in [
            "https://hooks.example/liveness?key=1",
            "https://[2a00:1450::1]/",
            "https://[2a00:1450::1]:65535/",
            "http://127.0.0.1:8000/hook",
            "http://localhost/",
            "http://[::1]:1/",
        ] {
            assert!(config(url).configured().unwrap().is_some(), "{url}");
        }
        for url in [
            "http://hooks.example/secret",
            "https://user:secret@hooks.example/",
            "http://127.0.0.1.secret.example/",
            "http://[::ffff:127.0.0.1]/secret",
            "https://[fe80::1%25eth0]/secret",
            "https://[fe80::1%eth0]/secret",
            "ftp://hooks.example/secret",
            "hooks.example/secret",
            "https:///secret",
            "https://hooks.example:99999/secret",
            "https://hooks.example:0/secret",
            "https://hooks.example:/secret",
            "https://[2a00:1450::1]:65536/secret",
            "secret",
            "",
        ] {
            let told = webhook_url(url).unwrap_err().to_string();
            assert!(told.contains("must be") && !told.contains("secret"), "{url}: {told}");
        }
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_unless_its_network_is_named() {
        for url in [
            "https://10.1.2.3/",
            "https://[fd00::1]/",
            "https://[::ffff:10.1.2.3]/",
            "https://169.254.169.254/",
        ] {
            assert!(refusal(&config(url)).contains("LIVENESS_WEBHOOK_NETWORKS"), "{url}");
        }
        for (url, networks) in [("https://10.1.2.3/", "10.0.0.0/8"), ("https://[fd00::1]/", "fd00::/8")] {
            let named = WebhookConfig {
                webhook_networks: networks.parse().unwrap(),
                ..config(url)
            };
            assert!(named.configured().is_ok(), "{url}");
        }
    }

    #[test]
    fn a_secret_is_asked_for_once_and_a_url_too() {
        let file = Some(PathBuf::from("/nowhere/secret"));
        let without = WebhookConfig {
            webhook_secret: None,
            ..config("https://hooks.example/")
        };
        assert!(refusal(&without).contains("set LIVENESS_WEBHOOK_SECRET_FILE"));
        let twice = WebhookConfig {
            webhook_secret_file: file.clone(),
            ..config("https://hooks.example/")
        };
        assert!(refusal(&twice).ends_with("set one of them"));
        let unread = WebhookConfig {
            webhook_secret_file: file,
            ..without
        };
        assert!(refusal(&unread).contains("cannot read /nowhere/secret"));
        let no_url = WebhookConfig {
            webhook_url: None,
            ..config("https://hooks.example/")
        };
        assert_eq!(
            refusal(&no_url),
            "LIVENESS_WEBHOOK_SECRET: it has no meaning without LIVENESS_WEBHOOK_URL"
        );
        let nothing = WebhookConfig {
            webhook_secret: None,
            ..no_url
        };
        assert!(nothing.configured().unwrap().is_none());
        let wrong = WebhookConfig {
            webhook_secret: Some("whsec_secret".to_owned()),
            ..config("https://hooks.example/")
        };
        assert!(!refusal(&wrong).contains("whsec_secret"));
    }

    #[test]
    fn a_proxy_knows_connect_and_is_not_repeated_when_it_does_not() {
        for text in ["http://proxy.example:4750", "https://user:word@proxy.example"] {
            assert!(proxy(text).is_ok(), "{text}");
        }
        for text in [
            "socks5://secret.example",
            "secret.example:80",
            "http://",
            "http:// secret",
        ] {
            let told = proxy(text).unwrap_err().to_string();
            assert!(!told.contains("secret"), "{text}: {told}");
        }
    }

    #[test]
    fn secrets_that_are_replaced_sign_in_all_clones() {
        let configured = config("https://hooks.example/path?key=secret")
            .configured()
            .unwrap()
            .unwrap();
        let (clone, at) = (configured.receiver().clone(), Timestamp::from_unix_millis(0).unwrap());
        let before = clone.sign("id", at, b"body");
        configured
            .receiver()
            .replace_keys(SigningKeys::parse(format!("{SECRET} {SECRET}").as_bytes()).unwrap());
        assert_eq!(clone.sign("id", at, b"body"), format!("{before} {before}"));
        assert_eq!(clone.origin(), "https://hooks.example");
        assert!(!format!("{clone:?}").contains("MfKQ"));
    }
}
