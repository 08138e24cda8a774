//! Objects in S3, and in what speaks like it, with the variables that other programs of it take: `AWS_ACCESS_KEY_ID`,
//! `AWS_ENDPOINT_URL`, `AWS_REGION` and so on. Requests go over the HTTP client of this program.

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use liveness_core::faces::{FacePlace, ObjectName, ObjectPlace, PlaceError};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::local::LocalFileSystem;
use object_store::{Error, RetryConfig};
use ureq::http::Request;

use super::ObjectsUrl;
use crate::http_client::{NoAuthorities, pooling_agent};

/// How long one request may take. Who records a face waits for it.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of an answer: more than any face has.
const ANSWER_BYTES: u64 = 256 << 20;

/// Opens a place. It asks nothing of it.
pub(super) fn open(place: &ObjectsUrl) -> Result<Arc<dyn FacePlace>, PlaceError> {
    match place {
        ObjectsUrl::S3 { bucket, prefix } => {
            let store = builder(bucket)?.build().map_err(|error| refused(&error))?;
            Ok(Arc::new(ObjectPlace::new(Arc::new(store), prefix)?))
        }
        ObjectsUrl::Folder(folder) => {
            fs::create_dir_all(folder).map_err(|error| PlaceError::Refused(format!("{folder}: {error}")))?;
            let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| refused(&error))?;
            Ok(Arc::new(ObjectPlace::new(Arc::new(store.with_fsync(true)), "")?))
        }
    }
}

/// Whether an object can be read without credentials.
pub(super) fn is_public(bucket: &str, prefix: &str) -> Result<bool, PlaceError> {
    let place = |store: AmazonS3| ObjectPlace::new(Arc::new(store), prefix);
    let own = place(builder(bucket)?.build().map_err(|error| refused(&error))?)?;
    let stranger = builder(bucket)?.with_skip_signature(true).build();
    let stranger = place(stranger.map_err(|error| refused(&error))?)?;
    let name = ObjectName::random().map_err(|error| PlaceError::Refused(error.to_string()))?;
    own.put(&name, name.to_string().into_bytes())?;
    let is_read = matches!(stranger.get(&name), Ok(Some(_)));
    own.delete(&name)?;
    Ok(is_read)
}

/// The settings of the environment. A variable that is set and empty is one that is not set.
fn builder(bucket: &str) -> Result<AmazonS3Builder, PlaceError> {
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables.filter(|(name, value)| name.starts_with("AWS_") && !value.is_empty()) {
        // There are others, which are for other programs.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    Ok(builder
        .with_bucket_name(bucket)
        .with_http_connector(Connector)
        // Many that speak like S3 do not have the request that deletes several.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        }))
}

fn refused(error: &Error) -> PlaceError {
    PlaceError::Refused(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Makes clients for the crate `object_store`.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient, Error> {
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        let agent = pooling_agent(allows_http.as_deref() == Some("true"), TIMEOUT);
        let agent = agent.map_err(|NoAuthorities| Error::NotSupported {
            source: "this machine has no certificate authorities to verify a server by; install ca-certificates".into(),
        })?;
        Ok(HttpClient::new(Client(agent)))
    }
}

/// Sends requests, and blocks meanwhile: the store calls it on threads of its own.
#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let answered = if body.is_empty() {
            self.0.run(Request::from_parts(parts, ()))
        } else {
            self.0.run(Request::from_parts(parts, &body[..]))
        };
        let (parts, body) = answered.map_err(failed)?.into_parts();
        let body = body.into_with_config().limit(ANSWER_BYTES).read_to_vec();
        Ok(HttpResponse::from_parts(parts, body.map_err(failed)?.into()))
    }
}

fn failed(error: ureq::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}
