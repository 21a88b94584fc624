//! PostgreSQL: one database, shared by the owners of many shards.
//!
//! Calls block: the connection's own small runtime turns only while a call waits, so call from a thread that is not a
//! runtime's. A lost connection is made anew by the next call. Everything lies in the schema `onus`.

use super::Store;
use super::copying::Rows;
use super::database::{Cells, Database, Each, Put, Row, Table, Value, without_zeros};
use super::error::StoreError;
use super::kept::Kept;
use super::place::{Server, words};
use super::schema::text_for;
use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use futures_util::{SinkExt, pin_mut};
use onus_engine::time::Millis;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use std::collections::HashMap;
use std::error::Error as _;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Statement};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The server ends statements after five minutes; whoever says nothing for longer is gone.
const SILENCE: Duration = Duration::from_secs(330);
/// What a session asks of the server: nobody waits for ever, and a hung owner frees its shard.
const SESSION: &str = "SET search_path TO onus; SET lock_timeout TO '10s'; SET statement_timeout TO '300s'; \
     SET idle_in_transaction_session_timeout TO '60s'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
/// While it is given rows a statement is not idle: it ends after so many of the times that a transaction may wait for its client.
const FILLING: Millis = 10;
/// "ONUS", for the lock under which the schema is changed.
const SCHEMA_LOCK: i64 = 0x4f4e_5553;
/// Where distributions keep the certificates that they believe.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// About so many bytes of an answer are in memory at once.
const AHEAD: usize = 4 << 20;

/// Opens a store for a shard, and makes the schema if there is none.
///
/// # Errors
/// A server that does not answer, a wrong password, rights that are missing, a newer schema.
pub fn open(server: &Server, shard: u16) -> Result<impl Store + use<>, StoreError> {
    Kept::open(Postgres::open(server)?, shard)
}

/// A server, and the connection to it, while there is one.
pub(super) struct Postgres {
    server: Server,
    target: String,
    runtime: Runtime,
    client: Option<Client>,
    statements: HashMap<String, Statement>,
    in_doubt: bool,
}

impl Postgres {
    /// Connects.
    pub(super) fn open(server: &Server) -> Result<Postgres, StoreError> {
        let target = server.to_string();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| StoreError::Unavailable {
            target: target.clone(),
            why: format!("this machine gives no room for a connection: {error}"),
        })?;
        let mut config = server.config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("onus");
        }
        let server = Server { config, ..server.clone() };
        let (client, statements) = (None, HashMap::new());
        let mut postgres = Postgres { server, target, runtime, client, statements, in_doubt: false };
        postgres.connect()?;
        Ok(postgres)
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        self.lose();
        let refused = |why| StoreError::Refused { target: self.target.clone(), why };
        let mut config = self.server.config.clone();
        if let Some(path) = &self.server.password_file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                refused(format!(
                    "the password file {} cannot be read ({error}): let this process read it",
                    path.display()
                ))
            })?;
            config.password(text.trim_end_matches(['\n', '\r']));
        }
        let tls = tls(self.server.authorities.as_deref()).map_err(refused)?;
        let made = self.runtime.block_on(async {
            let (client, connection) = config.connect(tls).await?;
            // Its end is seen by whoever asks next.
            tokio::spawn(async move { connection.await.ok() });
            client.batch_execute(SESSION).await?;
            let encoding: String =
                client.query_one("SELECT current_setting('server_encoding')", &[]).await?.try_get(0)?;
            Ok((client, encoding))
        });
        let (client, encoding) = made.map_err(|error: Error| told(&self.target, &error))?;
        if encoding != "UTF8" {
            let why =
                format!("the database is in {encoding}: make one with ENCODING 'UTF8', for names of any language");
            return Err(StoreError::Refused { target: self.target.clone(), why });
        }
        self.client = Some(client);
        Ok(())
    }

    /// Nothing is asked of this connection any more.
    fn lose(&mut self) {
        self.client = None;
        self.statements.clear();
    }

    /// Waits for an answer, but not for ever.
    fn wait<T>(&mut self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, StoreError> {
        let Some(client) = &self.client else {
            let why = "the connection is lost".to_owned();
            return Err(StoreError::Unavailable { target: self.target.clone(), why });
        };
        match self.runtime.block_on(async { tokio::time::timeout(SILENCE, work(client)).await }) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if client.is_closed() || error.code().is_none_or(ends) {
                    self.lose();
                }
                Err(told(&self.target, &error))
            }
            Err(_) => {
                self.lose();
                let why = format!("the server has said nothing for {} s", SILENCE.as_secs());
                Err(StoreError::Unavailable { target: self.target.clone(), why })
            }
        }
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.wait(async |client| client.prepare(sql).await)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.wait(async |client| client.batch_execute(sql).await)
    }
}

/// Who may speak for the server, and checks that it is the host that was meant.
fn tls(authorities: Option<&Path>) -> Result<postgres_openssl::MakeTlsConnector, String> {
    let mut builder = SslConnector::builder(SslMethod::tls()).map_err(|error| format!("TLS: {error}"))?;
    builder.set_verify(SslVerifyMode::PEER);
    if let Some(path) = authorities {
        builder.set_ca_file(path).map_err(|error| {
            format!("sslrootcert {} cannot be used ({error}): name a file of certificates in PEM", path.display())
        })?;
    } else {
        let said = std::env::var_os("SSL_CERT_FILE").map(std::path::PathBuf::from);
        let found = said.or_else(|| AUTHORITIES.iter().map(Into::into).find(|path: &std::path::PathBuf| path.exists()));
        if let Some(path) = found {
            builder.set_ca_file(&path).map_err(|error| format!("{} cannot be used: {error}", path.display()))?;
        }
    }
    postgres_openssl::set_postgresql_alpn(&mut builder).map_err(|error| format!("TLS: {error}"))?;
    Ok(postgres_openssl::MakeTlsConnector::new(builder.build()))
}

/// After these the server closes the session.
fn ends(code: &SqlState) -> bool {
    *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || code.code().starts_with("57P")
        || code.code().starts_with("08")
}

/// PostgreSQL's words, by what to do about them.
fn told(target: &str, error: &Error) -> StoreError {
    let target = target.to_owned();
    let Some(code) = error.code() else {
        let why = words(error);
        let mut behind = error.source();
        while let Some(source) = behind {
            if source.downcast_ref::<openssl::ssl::Error>().is_some_and(|e| e.ssl_error().is_some())
                || source.downcast_ref::<openssl::error::ErrorStack>().is_some()
            {
                let why =
                    format!("{why}: name the authority with sslrootcert=FILE, and the host as its certificate does");
                return StoreError::Refused { target, why };
            }
            if source.downcast_ref::<std::io::Error>().is_some() {
                return StoreError::Unavailable { target, why };
            }
            behind = source.source();
        }
        // A connection that ended, or a time that ran out, has nothing behind it.
        let passes = error.is_closed() || why.contains("connect") || why.contains("unexpected message");
        return if passes { StoreError::Unavailable { target, why } } else { StoreError::Refused { target, why } };
    };
    let said = error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
    let why = format!("{said} ({})", code.code());
    match code.code() {
        "53100" => StoreError::Full { target },
        "XX001" | "XX002" => StoreError::Damaged { target, what: why },
        // Lock and statement timeouts, deadlocks, too many connections, a server that stops, starts or only reads.
        "55P03" | "57014" | "40001" | "40P01" | "25006" | "25P03" => StoreError::Unavailable { target, why },
        text if ["08", "53", "57P", "58"].iter().any(|class| text.starts_with(class)) => {
            StoreError::Unavailable { target, why }
        }
        "28P01" | "28000" => {
            StoreError::Refused { target, why: format!("{why}: look at the user, the password and pg_hba.conf") }
        }
        "3D000" => StoreError::Refused { target, why: format!("{why}: make it with `createdb`") },
        "42501" => {
            let why = format!("{why}: let the user make the schema `onus` in this database, or own it");
            StoreError::Refused { target, why }
        }
        _ => StoreError::Refused { target, why },
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Value::Int(number) => out.extend_from_slice(&number.to_be_bytes()),
            Value::Text(text) => out.extend_from_slice(without_zeros(text).as_bytes()),
            Value::Bytes(bytes) => out.extend_from_slice(bytes),
            Value::Null => return Ok(IsNull::Yes),
        }
        Ok(IsNull::No)
    }

    /// Three types, as in the schema: anything else is a statement of ours that is wrong.
    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(kind)
    }

    to_sql_checked!();
}

fn parameters<'a>(values: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Database for Postgres {
    fn target(&self) -> &str {
        &self.target
    }

    fn again(&self) -> Result<Postgres, StoreError> {
        Postgres::open(&self.server)
    }

    fn ready(&mut self) -> Result<(), StoreError> {
        if self.client.is_some() { Ok(()) } else { self.connect() }
    }

    fn begin(&mut self, writes: bool) -> Result<(), StoreError> {
        // At READ COMMITTED a statement that waited for the shard's row sees what the other one left.
        let sql = match (writes, self.server.idle) {
            (true, Some(ms)) => format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout TO {ms}"),
            (true, None) => "BEGIN".to_owned(),
            (false, _) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        };
        self.in_doubt = false;
        if self.client.is_some() {
            match self.script(&sql) {
                // The server was started anew since the last call: that is known only now.
                Err(_) if self.client.is_none() => {}
                done => return done,
            }
        }
        self.connect()?;
        self.script(&sql)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.script("COMMIT");
        self.in_doubt = done.is_err();
        done
    }

    fn rollback(&mut self) {
        if self.client.is_some() && self.script("ROLLBACK").is_err() {
            self.lose();
        }
    }

    fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        self.wait(async |client| client.execute(&statement, &parameters(values)).await)
    }

    fn run_each(&mut self, sql: &'static str, all: &[&[Value<'_>]]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        let mut touched = 0;
        // All of a chunk are on their way before the first answer is back.
        for chunk in all.chunks(256) {
            touched += self.wait(async |client| {
                let chunk: Vec<_> = chunk.iter().map(|values| parameters(values)).collect();
                let asked = chunk.iter().map(|values| client.execute(&statement, values));
                join_all(asked).await.into_iter().sum::<Result<u64, Error>>()
            })?;
        }
        Ok(touched)
    }

    fn ask(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError> {
        let statement = self.statement(sql)?;
        let rows = self.wait(async |client| client.query(&statement, &parameters(values)).await)?;
        rows.iter().try_for_each(|row| each(&Row { cells: Cells::Postgres(row), target: &self.target }))
    }

    fn stream(&mut self, sql: &str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError> {
        let declare = self.statement(&format!("DECLARE streamed NO SCROLL CURSOR FOR {sql}"))?;
        self.wait(async |client| client.execute(&declare, &parameters(values)).await)?;
        let mut count = 4;
        loop {
            let fetch = format!("FETCH FORWARD {count} FROM streamed");
            let rows = self.wait(async |client| client.query(&fetch, &[]).await)?;
            rows.iter().try_for_each(|row| each(&Row { cells: Cells::Postgres(row), target: &self.target }))?;
            if rows.len() < count {
                break;
            }
            let largest = rows.iter().map(tokio_postgres::Row::raw_size_bytes).max().unwrap_or(1).max(1);
            count = (AHEAD / largest).clamp(1, 4 * count).min(4_096);
        }
        self.script("CLOSE streamed")
    }

    fn add(
        &mut self,
        table: &'static Table,
        fill: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let copy = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name, table.columns.join(", "));
        let statement = self.statement(&copy)?;
        if let Some(ms) = self.server.idle {
            self.script(&format!("SET LOCAL statement_timeout TO {}", ms.saturating_mul(FILLING).min(300_000)))?;
        }
        let sink = self.wait(async |client| client.copy_in::<_, Bytes>(&statement).await)?;
        pin_mut!(sink);
        let mut rows = Rows::new();
        fill(&mut |values| {
            rows.put(values);
            match rows.piece() {
                Some(piece) => self.wait(async |_| sink.send(piece).await),
                None => Ok(()),
            }
        })?;
        let rest = rows.end();
        self.wait(async |_| {
            sink.send(rest).await?;
            sink.as_mut().finish().await
        })?;
        if self.server.idle.is_some() { self.script("SET LOCAL statement_timeout TO '300s'") } else { Ok(()) }
    }

    fn schema(&mut self) -> Result<Option<u32>, StoreError> {
        // By reading the catalogue: a session's own memory of what there is may be older than the lock that it waited for.
        const THERE: &str = "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'onus' AND c.relname = 'migration'";
        if self.wait(async |client| client.query_opt(THERE, &[]).await)?.is_none() {
            return Ok(None);
        }
        let newest: Option<i64> = self
            .wait(async |client| client.query_one("SELECT max(number) FROM onus.migration", &[]).await?.try_get(0))?;
        // A version that is no number of ours is newer than anything that we know.
        Ok(newest.map(|newest| u32::try_from(newest).unwrap_or(u32::MAX)))
    }

    fn migrate(&mut self, number: u32, text: &str) -> Result<(), StoreError> {
        self.script(&format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))?;
        if self.schema()?.is_some_and(|found| found >= number) {
            return Ok(());
        }
        // Somebody with more rights may have made it for this user.
        const THERE: &str = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'onus'";
        if self.wait(async |client| client.query_opt(THERE, &[]).await)?.is_none() {
            self.script("CREATE SCHEMA onus")?;
        }
        let text = text_for(text, "postgres", &[("{bytes}", "BYTEA"), ("{sorted}", "")]);
        self.script(&format!(
            "CREATE TABLE IF NOT EXISTS onus.migration (number BIGINT PRIMARY KEY);\n{text}\n\
             INSERT INTO onus.migration (number) VALUES ({number});"
        ))
    }

    /// The server looks at its own pages, where it was set up with checksums.
    fn look_inside(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
