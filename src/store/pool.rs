//! Members and leases of a [pool](crate::pool), in PostgreSQL: each call is one transaction under the pool's lock, and all times are the
//! database's.

use super::database::{Database, Value};
use super::error::StoreError;
use super::place::Server;
use super::postgres::Postgres;
use super::schema;
use crate::pool::Unit;
use crate::pool::assign::{Lease, Part, View};
use onus_engine::time::{Millis, Moment};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// Why a round is not made.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process came later and has this member's name.
    #[error(
        "another process is in the pool as `{0}`: the newer one stays. Give each process a name of its own ([run] name)"
    )]
    Replaced(String),
    /// There is no such member.
    #[error("no member of the pool is called `{}`; {}", .name.escape_debug(), whom(.there))]
    NoMember {
        /// What was asked for.
        name: String,
        /// Who there is.
        there: Vec<String>,
    },
    /// There is no such unit.
    #[error("there is no shard {unit}; {}", if *.units == 0 { "the pool has none yet: start a judge".to_owned() } else { format!("they are 0 to {}", .units - 1) })]
    NoUnit {
        /// What was asked for.
        unit: Unit,
        /// How many there are.
        units: usize,
    },
}

fn whom(members: &[String]) -> String {
    if members.is_empty() { "nobody is in it".to_owned() } else { format!("there are {}", members.join(", ")) }
}

/// Who makes a round.
#[derive(Clone, Debug)]
pub struct Me {
    /// The member's name.
    pub name: String,
    /// Tells two processes of one name apart.
    pub token: String,
    /// The program's version.
    pub version: String,
    /// How long the others believe that it is there after it was heard last.
    pub lease: Millis,
    /// How many units there are.
    pub units: u16,
}

/// What a member says in a round.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// What it owns, as far as it knows; what it is giving up, too.
    pub held: BTreeSet<Unit>,
    /// What it has given up, and for how long nobody is to take it.
    pub given: BTreeMap<Unit, Millis>,
    /// It wants to leave.
    pub leaves: bool,
    /// It was in the pool before, under this token.
    pub joined: bool,
}

/// What it hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// These are its own now.
    pub take: Vec<Unit>,
    /// These it is to give up, and to say so when it has.
    pub give: Vec<Unit>,
    /// These it believed to own, and does not.
    pub lost: Vec<Unit>,
}

/// A member, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Since when it is there.
    pub since: Moment,
    /// When it was heard last.
    pub seen: Moment,
    /// For how long it is believed to be there after that.
    pub lease: Millis,
    /// It owns nothing if it can be helped.
    pub draining: bool,
    /// Its program's version.
    pub version: String,
    /// The newest schema of the store that it can.
    pub schema: u32,
}

/// A unit, as others see it; with what the shard of its number says, where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The unit.
    pub unit: Unit,
    /// Whose it is.
    pub member: Option<String>,
    /// It is being given up.
    pub giving: bool,
    /// Whose it is to be.
    pub pinned: Option<String>,
    /// Since when it is whose it is.
    pub taken: Option<Moment>,
    /// The shard's epoch, last commit, the judge's time after that, and how many entries there are.
    pub shard: Option<(u64, u64, Moment, u64)>,
}

/// Everything of a pool at one instant of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The instant.
    pub now: Moment,
    /// By name.
    pub members: Vec<Member>,
    /// By number.
    pub units: Vec<Owned>,
}

/// A connection for one pool.
pub struct Pool {
    database: Postgres,
    pool: String,
}

/// How long a transaction of a pool may wait for its client.
const IDLE: &str = "1s";

const MEMBERS: &str =
    "SELECT name, token, since, seen, lease, draining, version, knows FROM member WHERE pool = $1 ORDER BY name";
const LEASES: &str = "SELECT unit, member, giving, pinned, rests FROM lease WHERE pool = $1 ORDER BY unit";

impl Pool {
    /// Connects; the schema is made if there is none.
    ///
    /// # Errors
    /// As [`super::postgres::open`].
    pub fn open(server: &Server, pool: &str) -> Result<Pool, StoreError> {
        let mut database = Postgres::open(server)?;
        schema::migrate(&mut database)?;
        Ok(Pool { database, pool: pool.to_owned() })
    }

    /// The same for one that must be there.
    ///
    /// # Errors
    /// There is none, or it is another version's.
    pub fn existing(server: &Server, pool: &str) -> Result<Pool, StoreError> {
        let mut database = Postgres::open(server)?;
        schema::known(&mut database)?;
        Ok(Pool { database, pool: pool.to_owned() })
    }

    /// One round of a member: it is there; who is not there any more is struck off; it hears what is its own.
    ///
    /// # Errors
    /// Of one that [may pass](StoreError::may_pass) nobody knows whether it was made; the next one puts it right.
    pub fn round(&mut self, me: &Me, said: &Said) -> Result<Turn, PoolError> {
        self.locked(|database, pool, now| round(database, pool, now, me, said))
    }

    /// The member goes, and everything that it owned is free.
    ///
    /// # Errors
    /// Then it is struck off when its lease is over.
    pub fn leave(&mut self, me: &Me) -> Result<(), PoolError> {
        self.locked(|database, pool, _| {
            let own = [Value::Text(pool), Value::Text(&me.name), Value::Text(&me.token)];
            if database.run("DELETE FROM member WHERE pool = $1 AND name = $2 AND token = $3", &own)? > 0 {
                free(database, pool, &me.name)?;
            }
            Ok(())
        })
    }

    /// Everything.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(&mut self) -> Result<Listed, PoolError> {
        self.locked(|database, pool, now| {
            let members = members(database, pool)?.into_iter().map(|(member, _)| member).collect();
            let mut units = Vec::new();
            let sql = "SELECT l.unit, l.member, l.giving, l.pinned, l.taken, s.epoch, s.sequence, s.now, s.entries \
                       FROM lease l LEFT JOIN shard s ON s.shard = l.unit WHERE l.pool = $1 ORDER BY l.unit";
            database.ask(sql, &[Value::Text(pool)], &mut |row| {
                let number = |column| Ok::<_, StoreError>(row.maybe_int(column)?.unwrap_or(0));
                let shard = (number(5)? as u64, number(6)? as u64, Moment(number(7)?), number(8)? as u64);
                let member = row.maybe_text(1)?.map(|text| text.into_owned());
                units.push(Owned {
                    unit: row.small(0)?,
                    giving: row.int(2)? != 0,
                    pinned: row.maybe_text(3)?.map(|text| text.into_owned()),
                    taken: member.is_some().then_some(Moment(row.int(4)?)),
                    member,
                    shard: row.maybe_int(5)?.map(|_| shard),
                });
                Ok(())
            })?;
            Ok(Listed { now, members, units })
        })
    }

    /// From now on the unit is this member's whenever that is there; None: whoever's it falls to.
    ///
    /// # Errors
    /// There is no such member or unit.
    pub fn pin(&mut self, unit: Unit, to: Option<&str>) -> Result<(), PoolError> {
        self.locked(|database, pool, _| {
            if let Some(name) = to {
                is_there(database, pool, name)?;
            }
            let sql = "UPDATE lease SET pinned = $3 WHERE pool = $1 AND unit = $2";
            if database.run(sql, &[Value::Text(pool), Value::Int(i64::from(unit)), Value::from(to)])? == 0 {
                let units = leases(database, pool)?.len();
                return Err(PoolError::NoUnit { unit, units });
            }
            Ok(())
        })
    }

    /// From now on the member owns nothing if it can be helped; or again its share.
    ///
    /// # Errors
    /// There is no such member.
    pub fn drain(&mut self, name: &str, drains: bool) -> Result<(), PoolError> {
        self.locked(|database, pool, _| {
            is_there(database, pool, name)?;
            let values = [Value::Text(pool), Value::Text(name), Value::Int(i64::from(drains))];
            database.run("UPDATE member SET draining = $3 WHERE pool = $1 AND name = $2", &values)?;
            Ok(())
        })
    }

    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Postgres, &str, Moment) -> Result<T, PoolError>,
    ) -> Result<T, PoolError> {
        let Pool { database, pool } = self;
        database.begin(true)?;
        let done = (|| {
            // Whoever stands still in the middle of a round must not hold the lock for long: all others wait for it.
            let idle = "SELECT set_config('idle_in_transaction_session_timeout', $1, true)";
            database.ask(idle, &[Value::Text(IDLE)], &mut |_| Ok(()))?;
            let key = xxh3_64(format!("onus pool {pool}").as_bytes()) as i64;
            database.ask("SELECT 1::BIGINT FROM pg_advisory_xact_lock($1)", &[Value::Int(key)], &mut |_| Ok(()))?;
            // Of the moment at which the lock was had, not of the beginning.
            let mut now = Moment::DAWN;
            let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT";
            database.ask(sql, &[], &mut |row| row.int(0).map(|ms| now = Moment(ms)))?;
            work(database, pool, now)
        })();
        match done {
            Ok(value) => {
                database.commit()?;
                Ok(value)
            }
            Err(error) => {
                database.rollback();
                Err(error)
            }
        }
    }
}

/// Members with their tokens.
fn members(database: &mut Postgres, pool: &str) -> Result<Vec<(Member, String)>, StoreError> {
    let mut found = Vec::new();
    database.ask(MEMBERS, &[Value::Text(pool)], &mut |row| {
        let member = Member {
            name: row.text(0)?.into_owned(),
            since: Moment(row.int(2)?),
            seen: Moment(row.int(3)?),
            lease: row.int(4)?,
            draining: row.int(5)? != 0,
            version: row.text(6)?.into_owned(),
            schema: row.small(7)?,
        };
        found.push((member, row.text(1)?.into_owned()));
        Ok(())
    })?;
    Ok(found)
}

fn leases(database: &mut Postgres, pool: &str) -> Result<BTreeMap<Unit, (Lease, Moment)>, StoreError> {
    let mut found = BTreeMap::new();
    database.ask(LEASES, &[Value::Text(pool)], &mut |row| {
        let lease = Lease {
            member: row.maybe_text(1)?.map(|text| text.into_owned()),
            giving: row.int(2)? != 0,
            pinned: row.maybe_text(3)?.map(|text| text.into_owned()),
            rests: false,
        };
        found.insert(row.small(0)?, (lease, Moment(row.int(4)?)));
        Ok(())
    })?;
    Ok(found)
}

fn is_there(database: &mut Postgres, pool: &str, name: &str) -> Result<(), PoolError> {
    let there: Vec<String> = members(database, pool)?.into_iter().map(|(member, _)| member.name).collect();
    if there.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(PoolError::NoMember { name: name.to_owned(), there })
}

fn free(database: &mut Postgres, pool: &str, member: &str) -> Result<(), StoreError> {
    let sql = "UPDATE lease SET member = NULL, giving = 0 WHERE pool = $1 AND member = $2";
    database.run(sql, &[Value::Text(pool), Value::Text(member)]).map(|_| ())
}

fn round(database: &mut Postgres, pool: &str, now: Moment, me: &Me, said: &Said) -> Result<Turn, PoolError> {
    let of = Value::Text(pool);
    let known = members(database, pool)?;
    let own = known.iter().find(|(member, _)| member.name == me.name);
    let replaced = own.is_some_and(|(_, token)| *token != me.token);
    if replaced && said.joined {
        return Err(PoolError::Replaced(me.name.clone()));
    }
    // A clock that was set back: from its new time on they are there for a lease.
    database.run("UPDATE member SET seen = $2 WHERE pool = $1 AND seen > $2", &[of, Value::Int(now.0)])?;
    let mut found = 0;
    database.ask("SELECT max(number) FROM migration", &[], &mut |row| row.int(0).map(|number| found = number))?;
    // Whose program is older than the store's schema goes on with what it has, and could not begin with another shard.
    let part = |drains: bool, knows: u32| match drains {
        true => Part::Drains,
        false if i64::from(knows) < found => Part::Keeps,
        false => Part::Shares,
    };
    let gone = |member: &Member| member.seen.min(now) + member.lease <= now;
    let mut view = View::default();
    if known.iter().all(|(member, _)| gone(member)) {
        // Nobody was heard: it was the database that was away, or all were. Nobody is struck off for that.
        database.run("UPDATE member SET seen = $2 WHERE pool = $1", &[of, Value::Int(now.0)])?;
        view.members
            .extend(known.iter().map(|(member, _)| (member.name.clone(), part(member.draining, member.schema))));
    } else {
        for (member, _) in known.iter().filter(|(member, _)| member.name != me.name) {
            if gone(member) {
                let name = Value::Text(&member.name);
                database.run("DELETE FROM member WHERE pool = $1 AND name = $2", &[of, name])?;
                free(database, pool, &member.name)?;
            } else {
                view.members.insert(member.name.clone(), part(member.draining, member.schema));
            }
        }
    }
    // Whoever was away for so long that others may have taken its units is new.
    let drains = said.leaves || !replaced && own.is_some_and(|(member, _)| member.draining);
    view.members.insert(me.name.clone(), part(drains, schema::KNOWN));
    let sql = "INSERT INTO member (pool, name, token, since, seen, lease, draining, version, knows) \
               VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8) ON CONFLICT (pool, name) DO UPDATE SET token = excluded.token, \
               since = CASE WHEN member.token = excluded.token THEN member.since ELSE excluded.since END, \
               seen = excluded.seen, lease = excluded.lease, draining = excluded.draining, \
               version = excluded.version, knows = excluded.knows";
    let values = [
        of,
        Value::Text(&me.name),
        Value::Text(&me.token),
        Value::Int(now.0),
        Value::Int(me.lease),
        Value::Int(i64::from(drains)),
        Value::Text(&me.version),
        Value::Int(i64::from(schema::KNOWN)),
    ];
    database.run(sql, &values)?;
    for (unit, rests) in &said.given {
        let sql =
            "UPDATE lease SET member = NULL, giving = 0, rests = $4 WHERE pool = $1 AND unit = $2 AND member = $3";
        let values = [
            of,
            Value::Int(i64::from(*unit)),
            Value::Text(&me.name),
            Value::Int(if *rests > 0 { now.0 + rests } else { 0 }),
        ];
        database.run(sql, &values)?;
    }
    let mut kept = leases(database, pool)?;
    for unit in (0..me.units).filter(|unit| !kept.contains_key(unit)).collect::<Vec<_>>() {
        let sql = "INSERT INTO lease (pool, unit, giving, taken, rests) VALUES ($1, $2, 0, 0, 0)";
        database.run(sql, &[of, Value::Int(i64::from(unit))])?;
        kept.insert(unit, (Lease::default(), Moment::DAWN));
    }
    view.leases =
        kept.into_iter().map(|(unit, (lease, rests))| (unit, Lease { rests: rests > now, ..lease })).collect();
    let begins = begins(&known, &view, now);
    let mut turn = Turn::default();
    for (unit, lease) in &view.leases {
        let mine = lease.member.as_deref() == Some(&me.name);
        if said.held.contains(unit) && !mine {
            turn.lost.push(*unit);
        } else if mine && !said.leaves && !said.held.contains(unit) {
            // Taken in a round of which no word came back, or by a process of the same name before this one.
            turn.take.push(*unit);
        }
    }
    let acts = view.acts(&me.name);
    let can = |unit: &&Unit| !begins && !said.leaves && !said.held.contains(unit);
    for unit in acts.take.iter().filter(can) {
        let sql = "UPDATE lease SET member = $3, giving = 0, taken = $4, rests = 0 WHERE pool = $1 AND unit = $2";
        let values = [of, Value::Int(i64::from(*unit)), Value::Text(&me.name), Value::Int(now.0)];
        database.run(sql, &values)?;
        turn.take.push(*unit);
    }
    for unit in &acts.give {
        let sql = "UPDATE lease SET giving = 1 WHERE pool = $1 AND unit = $2";
        database.run(sql, &[of, Value::Int(i64::from(*unit))])?;
    }
    let giving = view.leases.iter().filter(|(_, lease)| lease.giving && lease.member.as_deref() == Some(&me.name));
    turn.give = giving.map(|(unit, _)| *unit).chain(acts.give).filter(|unit| said.held.contains(unit)).collect();
    Ok(turn)
}

/// Nobody was there before those who come now: what the first of them took it would have to give up again to the others a moment
/// later, each unit restored twice. So nobody takes anything before its second round, or the first of who comes after that.
fn begins(known: &[(Member, String)], view: &View, now: Moment) -> bool {
    // A clock that was set back makes nobody wait.
    let new = |one: &Member| one.since <= now && now < one.since + one.lease / 4;
    view.leases.values().all(|lease| lease.member.is_none()) && known.iter().all(|(member, _)| new(member))
}
