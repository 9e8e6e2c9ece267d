//! Connections: a pool of them, and what is tried again when one breaks.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use spaxiom_index::IndexError;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::PostgresAddress;
use crate::error::failed;

/// Connections at most.
const N_CONNECTIONS: usize = 8;

/// A connection that does not come free for so long is not waited for any more.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);

/// Times that something is tried where the server was gone, or chose it to end a deadlock.
const N_TRIES: u32 = 6;

/// Between the first try and the second; twice as long between every two that follow.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Threads of a store: they wait for the server.
const N_THREADS: usize = 2;

/// The connections of a store.
pub(crate) struct Connections {
    runtime: tokio::runtime::Runtime,
    pool: Pool,
    /// Differs between stores, so that they do not all come back at the same time.
    jitter: u64,
}

impl Connections {
    pub(crate) fn open(address: &PostgresAddress) -> Result<Self, IndexError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(N_THREADS)
            .thread_name("spaxiom-postgres")
            .enable_all()
            .build()?;
        let tls = MakeRustlsConnect::new(tls(address)?);
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(address.config.clone(), tls, config);
        let pool = Pool::builder(manager)
            .max_size(N_CONNECTIONS)
            .wait_timeout(Some(POOL_TIMEOUT))
            .create_timeout(Some(POOL_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(failed)?;
        let jitter = xxhash_rust::xxh64::xxh64(address.to_string().as_bytes(), u64::from(std::process::id()));
        Ok(Self { runtime, pool, jitter })
    }

    /// Does something with a connection, and once more where that broke; what is done has to be the same when done twice.
    #[expect(clippy::needless_pass_by_value, reason = "a closure, which nobody has a name for")]
    pub(crate) fn run<T>(
        &self,
        work: impl AsyncFn(&mut Object) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, IndexError> {
        self.runtime.block_on(async {
            let mut n_tries = 0;
            loop {
                n_tries += 1;
                let is_last = n_tries == N_TRIES;
                match self.pool.get().await {
                    Ok(mut client) => match work(&mut client).await {
                        Ok(done) => return Ok(done),
                        Err(error) if !is_last && is_passing(&error) => {
                            // What broke is not given to anybody else.
                            drop(Object::take(client));
                        }
                        Err(error) => return Err(failed(error)),
                    },
                    Err(PoolError::Backend(error)) if is_last || !is_passing(&error) => return Err(failed(error)),
                    Err(PoolError::Backend(_)) => {}
                    Err(error) => return Err(failed(error)),
                }
                tokio::time::sleep(self.pause(n_tries)).await;
            }
        })
    }

    /// Before the next try: half of it is the same for all.
    fn pause(&self, n_tries: u32) -> Duration {
        let whole = FIRST_PAUSE * 2u32.pow(n_tries - 1);
        let share = self.jitter.rotate_left(8 * n_tries) % 1_000;
        whole / 2 + whole * u32::try_from(share).unwrap_or(0) / 2_000
    }
}

/// Whether the next try may go better: the server is away, or ended a transaction for the sake of others.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        // Closed, refused, or cut off in the middle; what the client itself does not understand stays so.
        return error.is_closed() || is_io(error);
    };
    let passing = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    passing.contains(code) || code.code().starts_with("08")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Encryption; whether it is used is the address's `sslmode`.
fn tls(address: &PostgresAddress) -> Result<ClientConfig, IndexError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = &address.root_certificates {
        let pem = fs_err::read(path)?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.map_err(failed)?).map_err(failed)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
