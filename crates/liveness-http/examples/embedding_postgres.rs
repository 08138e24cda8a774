//! A bank's backend on PostgreSQL that exists already, with the liveness check mounted beside what it has.
//!
//! As in `embedding.rs`, but the bank's pool is of PostgreSQL connections, and our tables are in a schema of their own,
//! `liveness`; the bank's stay in `public`.
//!
//! ```text
//! BANK_DATABASE_URL=postgres://… BANK_JWT_SECRET=… cargo run --example embedding_postgres
//! ```

use std::error::Error;
use std::sync::Arc;

use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use liveness_bus::liveness::{self, CUSTOMER, Liveness, Settings};
use liveness_bus::validator::Validate;
use liveness_bus::{Access, Audit, Bus, BusError, Call, Handler, Kind, Message, Module, async_trait};
use liveness_core::store::{PostgresPool, PostgresSettings, Store, insert_audit_entry};
use liveness_core::{Claims, DirectoryError, User, UserDirectory, UserReference};
use liveness_http::LivenessApi;
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};

use schema::customers;

/// A failure of the bank's own.
type Failure = Box<dyn Error + Send + Sync>;

/// Where our tables are, and how the connections to them are set up.
fn settings() -> PostgresSettings {
    PostgresSettings::in_schema("liveness")
}

/// The few lines that mount the liveness check, and the bank's own message beside it.
pub fn mount_liveness(pool: &PostgresPool, jwt_secret: &[u8]) -> Result<LivenessApi, Box<dyn Error>> {
    let store = Store::from_postgres_pool(pool.clone(), settings())?;
    store.migrate()?;
    let customers = Arc::new(Customers(pool.clone()));
    let liveness = Liveness::new(store.clone(), customers.clone(), Settings::default());
    let bus = Bus::builder()
        .module(liveness::module(liveness))
        .module(Module::new("cards").handle::<FreezeCardCommand>(Cards(pool.clone())))
        .audit_sink(store)
        .build()?;
    let verifier = TokenVerifier::new(vec![VerificationKey::hs256(jwt_secret)?], TokenRules::default());
    Ok(LivenessApi::builder(bus, verifier, customers).build())
}

/// The bank's application: its own route, and ours.
pub fn configure(app: &mut web::ServiceConfig, liveness: &LivenessApi) {
    app.route(
        "/branches",
        web::get().to(|| async { HttpResponse::Ok().json(["Lagos", "Abuja"]) }),
    );
    liveness.configure(app);
}

/// The bank's database, in a pool that the bank owns; ours needs its connections to be set up so.
pub fn open_bank(url: &str) -> Result<PostgresPool, Box<dyn Error>> {
    let pool = Pool::builder()
        .max_size(4)
        .connection_customizer(Box::new(settings()))
        .build(ConnectionManager::new(url))?;
    diesel::sql_query(
        "CREATE TABLE IF NOT EXISTS customers (id BIGINT NOT NULL PRIMARY KEY, login TEXT NOT NULL UNIQUE, \
         name TEXT NOT NULL, card_is_frozen BOOLEAN NOT NULL DEFAULT FALSE)",
    )
    .execute(&mut pool.get()?)?;
    Ok(pool)
}

mod schema {
    diesel::table! {
        customers (id) {
            id -> BigInt,
            login -> Text,
            name -> Text,
            card_is_frozen -> Bool,
        }
    }
}

/// The bank's customers, as the liveness check sees them.
struct Customers(PostgresPool);

impl Customers {
    async fn load(&self, reference: Option<UserReference>, ids: Vec<i64>) -> Result<Vec<User>, DirectoryError> {
        let pool = self.0.clone();
        let load = move || -> Result<Vec<(i64, String, String)>, Failure> {
            let all = customers::table.select((customers::id, customers::login, customers::name));
            let conn = &mut pool.get()?;
            Ok(match reference {
                Some(UserReference::Id(id)) => all.filter(customers::id.eq(id)).load(conn)?,
                Some(UserReference::UserId(login)) => all.filter(customers::login.eq(login)).load(conn)?,
                None => all.filter(customers::id.eq_any(ids)).load(conn)?,
            })
        };
        let rows = web::block(load).await.map_err(|error| DirectoryError(error.into()))?;
        let user = |(id, user_id, name)| User {
            id,
            user_id,
            display_name: Some(name),
            ..User::default()
        };
        Ok(rows.map_err(DirectoryError)?.into_iter().map(user).collect())
    }
}

#[async_trait]
impl UserDirectory for Customers {
    async fn identify(&self, claims: &Claims) -> Result<Option<User>, DirectoryError> {
        Ok(self.load(Some(claims.reference.clone()), Vec::new()).await?.pop())
    }

    async fn find(&self, ids: &[i64]) -> Result<Vec<User>, DirectoryError> {
        self.load(None, ids.to_vec()).await
    }
}

/// A message of the bank's own. It gets the same gate, the same audit and the same route.
#[derive(serde::Deserialize, Validate)]
#[validate(crate = "liveness_bus::validator")]
struct FreezeCardCommand {
    #[validate(length(min = 1, max = 200))]
    reason: String,
}

impl Message for FreezeCardCommand {
    const NAME: &'static str = "FreezeCardCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = bool;
}

struct Cards(PostgresPool);

impl Handler<FreezeCardCommand> for Cards {
    async fn handle(&self, command: FreezeCardCommand, call: &Call<'_>) -> Result<bool, BusError> {
        let (id, entry, pool) = (call.user()?.id, call.audit_entry(), self.0.clone());
        // What it does and the trace of it are one transaction: both are there, or neither.
        let freeze = move || -> Result<usize, Failure> {
            pool.get()?.transaction(|conn| {
                insert_audit_entry(&mut **conn, &entry)?;
                let card = diesel::update(customers::table.find(id));
                Ok(card.set(customers::card_is_frozen.eq(true)).execute(conn)?)
            })
        };
        log::info!("freezing a card: {}", command.reason.escape_debug());
        let frozen = tokio::task::spawn_blocking(freeze).await;
        let frozen = frozen.map_err(|error| BusError::Internal(error.into()))?;
        let frozen = frozen.map_err(BusError::Unavailable)?;
        call.entry_written();
        Ok(frozen == 1)
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = open_bank(&std::env::var("BANK_DATABASE_URL")?)?;
    let liveness = mount_liveness(&pool, std::env::var("BANK_JWT_SECRET")?.as_bytes())?;
    let server = HttpServer::new(move || App::new().configure(|app| configure(app, &liveness)));
    Ok(server.bind(("127.0.0.1", 8081))?.run().await?)
}
