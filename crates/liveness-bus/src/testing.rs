//! A test kit: the bus with the messages on an in-memory store, with a fixed clock and without HTTP.
//!
//! ```
//! use liveness_bus::liveness::CheckLivenessStatusQuery;
//! use liveness_bus::testing::TestBus;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), liveness_bus::BusError> {
//! let world = TestBus::new();
//! let status = world.send(CheckLivenessStatusQuery {}, &world.customer(1234)).await?;
//! assert!(!status.has_completed_liveness_check);
//! # Ok(())
//! # }
//! ```

#![expect(clippy::expect_used, reason = "a test kit that cannot be set up ends the test")]

use std::sync::Arc;

use liveness_core::events::EventSubscription;
use liveness_core::policy::Policy;
use liveness_core::store::{Store, StoredUsers, TrailKeeper};
use liveness_core::trail::TrailKey;
use liveness_core::{AuditEntry, Claims, Clock, FixedClock, UserReference};

use crate::liveness::{self, Liveness, Settings};
use crate::{
    Bus, BusBuilder, BusError, Context, ContextBuilder, DeliveryError, Message, Principal, PublishedEvent, RequestId,
};

/// The subscription by which the kit shows what was published.
const LISTENER: &str = "test-kit";

/// A bus with the messages, with its store and its clock.
#[derive(Debug)]
pub struct TestBus {
    bus: Bus,
    store: Store,
    clock: Arc<FixedClock>,
    trail_key: Arc<TrailKey>,
    /// Keeps the trail for as long as the kit is there.
    _keeper: TrailKeeper,
}

impl Default for TestBus {
    fn default() -> Self {
        Self::new()
    }
}

impl TestBus {
    /// A bus on an empty store. The time is 2026-03-22T14:00:05Z.
    pub fn new() -> Self {
        Self::with(Settings::default(), |builder| builder)
    }

    /// A bus with other settings. `more` can add modules and middleware.
    ///
    /// # Panics
    ///
    /// If [`BusBuilder::build`] reports a mistake in what `more` has added.
    pub fn with(settings: Settings, more: impl FnOnce(BusBuilder) -> BusBuilder) -> Self {
        Self::on(Store::in_memory().expect("a database in memory"), settings, more)
    }

    /// A bus under a policy. Who has to wait does so by the clock of the kit.
    ///
    /// ```
    /// use liveness_bus::testing::TestBus;
    /// use liveness_core::policy::Policy;
    ///
    /// let world = TestBus::under(&Policy::enforce());
    /// assert!(world.store().policy().session().required);
    /// ```
    ///
    /// # Panics
    ///
    /// If the store cannot be opened.
    pub fn under(policy: &Policy) -> Self {
        let settings = Settings::under(policy);
        let store = Store::in_memory().expect("a database in memory");
        let store = store.with_policy(policy.clone()).expect("threads that write");
        Self::on(store, settings, |builder| builder)
    }

    fn on(store: Store, settings: Settings, more: impl FnOnce(BusBuilder) -> BusBuilder) -> Self {
        let clock = Arc::new(FixedClock::at("2026-03-22T14:00:05Z".parse().expect("a time")));
        let store = store.with_steady_clock(clock.clone()).expect("threads that write");
        store.migrate().expect("the migrations");
        let users = Arc::new(StoredUsers::new(store.users().clone(), true));
        let trail_key = Arc::new(TrailKey::generate().expect("a key").key);
        let keeper = store
            .trail()
            .keep(Arc::clone(&trail_key), false)
            .expect("a thread that keeps the trail");
        let liveness = Liveness::new(store.clone(), users, settings).with_trail_signer(trail_key.clone());
        let module = liveness::module(liveness);
        let builder = Bus::builder().module(module).audit_sink(store.clone());
        let bus = more(builder).build().expect("a bus without mistakes");
        let all = EventSubscription::to_all(LISTENER).expect("a name");
        store.events().subscribe(&all).expect("a subscription");
        liveness::subscribe(&store, &bus).expect("the subscriptions");
        Self {
            bus,
            store,
            clock,
            trail_key,
            _keeper: keeper,
        }
    }

    /// The bus.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The key that signs the log of the trail, and receipts.
    pub fn trail_key(&self) -> &TrailKey {
        &self.trail_key
    }

    /// The clock.
    pub fn clock(&self) -> &FixedClock {
        &self.clock
    }

    /// Starts a context for this principal, with the kit's clock and the request id `test`.
    pub fn context(&self, principal: Principal) -> ContextBuilder {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Context::builder(principal)
            .clock(clock)
            .request_id(RequestId::parse("test").expect("a request id"))
    }

    /// A context for the customer with that id. The store need not know the customer.
    pub fn customer(&self, id: i64) -> Context {
        self.context(Self::customer_principal(id)).build()
    }

    /// The principal of the customer with that id, for [`context`](Self::context).
    pub fn customer_principal(id: i64) -> Principal {
        let user = Claims::of(UserReference::Id(id)).to_user(id);
        Principal::new(id.to_string()).with_role("customer").with_user(user)
    }

    /// A context for an administrator.
    pub fn admin(&self) -> Context {
        self.context(Principal::new("admin-1").with_role("admin")).build()
    }

    /// A context for an auditor.
    pub fn auditor(&self) -> Context {
        self.context(Principal::new("auditor-1").with_role("auditor")).build()
    }

    /// A context for a data protection officer.
    pub fn officer(&self) -> Context {
        self.context(Principal::new("officer-1").with_role("officer")).build()
    }

    /// A context for an anonymous principal.
    pub fn anonymous(&self) -> Context {
        self.context(Principal::anonymous()).build()
    }

    /// Adds the customer to the store.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn add_customer(&self, id: i64) {
        let user = Claims::of(UserReference::Id(id)).to_user(id);
        self.store
            .users()
            .put(vec![user], self.clock.now())
            .await
            .expect("the user was not stored");
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// The error of the bus.
    pub async fn send<M: Message>(&self, message: M, context: &Context) -> Result<M::Reply, BusError> {
        self.bus.send(message, context).await
    }

    /// Sends a message by name, with JSON, and returns the JSON of its reply.
    ///
    /// # Errors
    ///
    /// The error of the bus.
    ///
    /// # Panics
    ///
    /// If the reply is not JSON.
    pub async fn dispatch(&self, name: &str, json: &str, context: &Context) -> Result<serde_json::Value, BusError> {
        let mut reply = Vec::new();
        self.bus.dispatch(name, json.as_bytes(), context, &mut reply).await?;
        Ok(serde_json::from_slice(&reply).expect("a reply is JSON"))
    }

    /// The first 1000 events that were published, in their order: by our messages, and by yours with `publish_event`.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn events(&self) -> Vec<PublishedEvent> {
        let stored = self.store.events().list(0, 10_000).await.expect("the events");
        let published = stored.into_iter().filter(|stored| stored.subscription == LISTENER);
        published.map(|stored| stored.event).take(1000).collect()
    }

    /// Hands the events that wait to the subscriptions of the bus, until none waits or one fails.
    ///
    /// # Errors
    ///
    /// The first [`DeliveryError`]. Its event, and those behind it, still wait.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn deliver_events(&self) -> Result<(), DeliveryError> {
        let events = self.store.events();
        for subscription in self.bus.subscriptions() {
            loop {
                let due = events.due(subscription.name(), &[], 16).expect("the events");
                for event in &due {
                    subscription.deliver(event).await?;
                    events.complete(&[event]).expect("the event");
                }
                if due.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The newest 1000 audit entries, oldest first.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn audit_entries(&self) -> Vec<AuditEntry> {
        let mut entries = self.store.trail().newest(1000).await.expect("the audit entries");
        entries.reverse();
        entries
    }
}
