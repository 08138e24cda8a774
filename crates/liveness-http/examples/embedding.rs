//! A bank's backend that exists already, with the liveness check mounted beside what it has.
//!
//! The bank has an actix application with a route, a connection pool, customers and a bus message of its own.
//! What it adds for the liveness check is in [`mount_liveness`].
//!
//! ```text
//! BANK_JWT_SECRET=… cargo run --example embedding
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use liveness_bus::liveness::{self, CUSTOMER, Liveness, Settings, UserPassed, publish_event};
use liveness_bus::validator::Validate;
use liveness_bus::{
    Access, Audit, Bus, BusError, Call, Delivery, Event, Handler, Kind, Message, Module, Subscriber, Subscription,
    async_trait,
};
use liveness_core::store::{JobRunner, SqlitePool, SqliteSettings, Store, insert_audit_entry};
use liveness_core::{Claims, DirectoryError, User, UserDirectory, UserReference};
use liveness_http::LivenessApi;
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};

use schema::{customers, processes};

/// A failure of the bank's own.
type Failure = Box<dyn Error + Send + Sync>;

/// The few lines that mount the liveness check, with the bank's own message and what the bank does when a customer passes.
pub fn mount_liveness(pool: &SqlitePool, jwt_secret: &[u8]) -> Result<(LivenessApi, JobRunner), Box<dyn Error>> {
    let store = Store::from_sqlite_pool(pool.clone())?;
    store.migrate()?;
    let customers = Arc::new(Customers(pool.clone()));
    let liveness = Liveness::new(store.clone(), customers.clone(), Settings::default());
    let bus = Bus::builder()
        .module(liveness::module(liveness))
        .module(Module::new("cards").handle::<FreezeCardCommand>(Cards(pool.clone(), store.clone())))
        .subscription(processes(pool))
        .audit_sink(store.clone())
        .build()?;
    let events = liveness::start_events(&store, &bus)?;
    let verifier = TokenVerifier::new(vec![VerificationKey::hs256(jwt_secret)?], TokenRules::default());
    Ok((LivenessApi::builder(bus, verifier, customers).build(), events))
}

/// The bank's application: its own route, and ours.
pub fn configure(app: &mut web::ServiceConfig, liveness: &LivenessApi) {
    app.route(
        "/branches",
        web::get().to(|| async { HttpResponse::Ok().json(["Lagos", "Abuja"]) }),
    );
    liveness.configure(app);
}

/// The bank's database, in a pool that the bank owns; ours needs its connections to be durable.
pub fn open_bank(path: &Path) -> Result<SqlitePool, Box<dyn Error>> {
    let manager = ConnectionManager::new(path.to_string_lossy());
    let pool = Pool::builder()
        .max_size(4)
        .connection_customizer(Box::new(SqliteSettings::default()))
        .build(manager)?;
    diesel::sql_query(
        "CREATE TABLE IF NOT EXISTS customers (id BIGINT NOT NULL PRIMARY KEY, login TEXT NOT NULL UNIQUE, \
         name TEXT NOT NULL, card_is_frozen BOOLEAN NOT NULL DEFAULT FALSE)",
    )
    .execute(&mut pool.get()?)?;
    diesel::sql_query(
        "CREATE TABLE IF NOT EXISTS processes (event_id TEXT NOT NULL PRIMARY KEY, customer_id BIGINT NOT NULL, \
         name TEXT NOT NULL)",
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

    diesel::table! {
        processes (event_id) {
            event_id -> Text,
            customer_id -> BigInt,
            name -> Text,
        }
    }
}

/// The bank's customers, as the liveness check sees them.
struct Customers(SqlitePool);

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
        let rows = web::block(load)
            .await
            .map_err(|error| DirectoryError(error.into()))?
            .map_err(DirectoryError)?;
        let user = |(id, user_id, name)| User {
            id,
            user_id,
            display_name: Some(name),
            ..User::default()
        };
        Ok(rows.into_iter().map(user).collect())
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

    fn summary(_: &bool) -> Option<&'static str> {
        Some("The card is frozen.")
    }
}

/// What happened, for whoever in the bank wants to know.
#[derive(serde::Serialize, serde::Deserialize)]
struct CardFrozen {
    customer: i64,
}

impl Event for CardFrozen {
    const TYPE: &'static str = "bank.card.frozen";

    fn self_service_user_id(&self) -> i64 {
        self.customer
    }
}

struct Cards(SqlitePool, Store);

impl Handler<FreezeCardCommand> for Cards {
    async fn handle(&self, command: FreezeCardCommand, call: &Call<'_>) -> Result<bool, BusError> {
        let id = call.user()?.id;
        let entry = call.audit_entry();
        let pool = self.0.clone();
        // What it does and the trace of it are one transaction: both are there, or neither.
        let freeze = move || -> Result<usize, Failure> {
            pool.get()?.immediate_transaction(|conn| {
                insert_audit_entry(&mut *conn, &entry)?;
                publish_event(&mut *conn, entry.at, &CardFrozen { customer: id })?;
                let card = diesel::update(customers::table.find(id));
                Ok(card.set(customers::card_is_frozen.eq(true)).execute(conn)?)
            })
        };
        log::info!("freezing a card: {}", command.reason.escape_debug());
        let frozen = tokio::task::spawn_blocking(freeze)
            .await
            .map_err(|error| BusError::Internal(error.into()))?;
        let frozen = frozen.map_err(BusError::Unavailable)?;
        call.entry_written();
        self.1.events().wake();
        Ok(frozen == 1)
    }
}

/// What the bank begins when something has happened. The name of the subscription stays the same over restarts.
fn processes(pool: &SqlitePool) -> Subscription {
    let processes = Arc::new(Processes(pool.clone()));
    Subscription::new("bank.processes")
        .on::<UserPassed>(Arc::clone(&processes))
        .on::<CardFrozen>(processes)
}

struct Processes(SqlitePool);

impl Processes {
    /// Starts a process of the bank. An event may come twice, and starts one process all the same.
    #[expect(clippy::print_stdout, reason = "the bank shows what it starts")]
    async fn start(&self, name: &'static str, customer: i64, delivery: &Delivery) -> Result<(), Failure> {
        let (pool, id) = (self.0.clone(), delivery.id.to_string());
        let start = move || -> Result<usize, Failure> {
            let process = (
                processes::event_id.eq(id),
                processes::customer_id.eq(customer),
                processes::name.eq(name),
            );
            let started = diesel::insert_into(processes::table)
                .values(process)
                .on_conflict_do_nothing();
            Ok(started.execute(&mut pool.get()?)?)
        };
        if tokio::task::spawn_blocking(start).await?? == 1 {
            println!(
                "the bank starts {name} for customer {customer}, because of {}",
                delivery.id
            );
        }
        Ok(())
    }
}

impl Subscriber<UserPassed> for Processes {
    async fn receive(&self, passed: UserPassed, delivery: &Delivery) -> Result<(), Failure> {
        self.start("open an account", passed.user_id, delivery).await
    }
}

impl Subscriber<CardFrozen> for Processes {
    async fn receive(&self, frozen: CardFrozen, delivery: &Delivery) -> Result<(), Failure> {
        self.start("print a new card", frozen.customer, delivery).await
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = open_bank(Path::new("bank.db"))?;
    let (liveness, events) = mount_liveness(&pool, std::env::var("BANK_JWT_SECRET")?.as_bytes())?;
    let server = HttpServer::new(move || App::new().configure(|app| configure(app, &liveness)));
    server.bind(("127.0.0.1", 8081))?.run().await?;
    events.stop(Duration::from_secs(5));
    Ok(())
}
