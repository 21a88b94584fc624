//! Listening for HTTP, in a thread of its own. Knows nothing of what is answered: that is in the routes it is given.
//!
//! Whoever connects may be slow, wrong or hostile: heads are bounded in size and time, connections in number. What a
//! request's body may be is for its route to say.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

/// Where to listen, and for whom.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Address and port; port 0: any that is free.
    pub addr: SocketAddr,
    /// So many may be connected at once; others wait to be let in.
    pub connections: u32,
    /// Bytes that the head of a request may have.
    pub head_bytes: usize,
    /// How long a head may take to come. Also how long a connection may stay without a request.
    pub head_within: Duration,
    /// How long requests that have begun may take to end when it stops.
    pub grace: Duration,
}

impl Listen {
    /// On this address, with bounds that suit machines that send events.
    pub fn on(addr: SocketAddr) -> Listen {
        Listen {
            addr,
            connections: 256,
            head_bytes: 32 << 10,
            head_within: Duration::from_secs(15),
            grace: Duration::from_secs(10),
        }
    }
}

/// It listens while this is held.
#[derive(Debug)]
pub struct Serving {
    /// Where: with the port that was free.
    pub addr: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Lets nobody in any more; requests that have begun go on. Returns at once.
    pub fn close(&self) {
        self.stop.send_replace(true);
    }

    /// Closes, and waits until every request that had begun is answered, or its time is over. A route that waits for the
    /// loop is answered only while the loop goes on.
    pub fn stop(mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // If it ended by a panic, that was told where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.close();
    }
}

/// Listens. The routes are made in the thread that serves them, where tasks can be spawned.
///
/// # Errors
/// The address cannot be listened on, or the system has no thread left.
pub fn spawn(listen: Listen, routes: impl FnOnce() -> Router + Send + 'static) -> io::Result<Serving> {
    let listener = TcpListener::bind(listen.addr)?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
        runtime.block_on(run(listener, listen, routes, stopped));
        // Requests that did not end in time go with the runtime.
    })?;
    Ok(Serving { addr, stop, thread: Some(thread) })
}

async fn run(
    listener: TcpListener,
    listen: Listen,
    routes: impl FnOnce() -> Router,
    mut stopped: watch::Receiver<bool>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("cannot listen on {}: {error}", listen.addr);
            return;
        }
    };
    let routes = routes();
    let room = Arc::new(Semaphore::new(listen.connections as usize));
    loop {
        let next = async {
            let place = room.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            () = closed(&mut stopped) => break,
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(error) => {
                    // Too many files open, or whoever knocked is gone: neither is a reason to end.
                    tracing::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (listen, routes, stopped) = (listen.clone(), routes.clone(), stopped.clone());
        tokio::spawn(async move {
            serve(stream, &listen, routes, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    let all = room.acquire_many(listen.connections);
    if tokio::time::timeout(listen.grace, all).await.is_err() {
        tracing::warn!("some requests had not ended after {:?}, and are cut off", listen.grace);
    }
}

async fn serve(stream: TcpStream, listen: &Listen, routes: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are small, and wait for nothing.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(listen.head_within)
        .max_header_size(listen.head_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Waits until nobody is to be let in any more.
async fn closed(stopped: &mut watch::Receiver<bool>) {
    // An error means that whoever could say it is gone.
    let _ = stopped.wait_for(|stop| *stop).await;
}
