//! Telling or asking somebody over HTTP: one connection that is kept, TLS, who we are. Blocks whoever calls.
//!
//! Files of secrets and certificates are read when they are needed, so that new ones are found. Redirects are not followed:
//! whoever is told or asked is named in the settings.

use axum::body::{Body, to_bytes};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Whom to reach.
#[derive(Clone, Debug)]
pub struct Target {
    /// With its scheme.
    pub url: String,
    /// Authorities; None: those of the system.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Who we are.
    pub login: Login,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// Who we are.
#[derive(Clone, Debug)]
pub enum Login {
    /// Nobody.
    Nobody,
    /// Basic authentication: name, and the password's file.
    Basic(String, PathBuf),
    /// The token's file.
    Bearer(PathBuf),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The beginning of what was said.
    pub body: String,
}

/// Longest part of an answer that is looked at.
const ANSWER: usize = 64 << 10;
/// Where systems keep the authorities that they trust.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// One that posts and asks.
pub struct Client {
    target: Target,
    uri: Uri,
    runtime: Runtime,
    connection: Option<SendRequest<Body>>,
}

impl Client {
    /// Ready; nothing is connected to yet. `path`: below the target's own.
    pub fn new(target: Target, path: &str) -> Result<Client, String> {
        let uri = format!("{}{path}", target.url).parse::<Uri>().map_err(|error| format!("{}: {error}", target.url))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Client { target, uri, runtime: runtime.map_err(|error| error.to_string())?, connection: None })
    }

    /// Posts, and waits for the answer.
    ///
    /// # Errors
    /// There was none, in words.
    pub fn post(&mut self, kind: &str, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, String> {
        let uri = self.uri.clone();
        self.send(&uri, Some((kind, body)), headers, ANSWER)
    }

    /// Asks for what is there, and waits for the answer.
    ///
    /// # Errors
    /// There was none, in words.
    pub fn get(&mut self) -> Result<Answer, String> {
        let uri = self.uri.clone();
        self.send(&uri, None, &[], ANSWER)
    }

    /// Asks for what is at another path below the target's own. An answer longer than `most` counts as none.
    ///
    /// # Errors
    /// There was none, in words.
    pub fn get_at(&mut self, path: &str, most: usize) -> Result<Answer, String> {
        let uri = format!("{}{path}", self.target.url).parse::<Uri>().map_err(|error| format!("{path}: {error}"))?;
        self.send(&uri, None, &[], most)
    }

    /// Connects, with TLS where the address wants it, and says nothing.
    ///
    /// # Errors
    /// It cannot be reached, in words.
    pub fn reach(&mut self) -> Result<(), String> {
        let Client { target, uri, runtime, .. } = self;
        let within = target.timeout;
        runtime.block_on(async {
            match tokio::time::timeout(within, connect(target, uri)).await {
                Ok(reached) => reached.map(drop),
                Err(_) => Err(format!("no connection within {} ms", within.as_millis())),
            }
        })
    }

    fn send(
        &mut self,
        uri: &Uri,
        posted: Option<(&str, &[u8])>,
        headers: &[(&'static str, String)],
        most: usize,
    ) -> Result<Answer, String> {
        let Client { target, runtime, connection, .. } = self;
        let within = target.timeout;
        let sent = runtime.block_on(async {
            let all = async {
                // One that was kept may have been closed by the other side just now; what is posted may be posted twice.
                if let Some(kept) = connection.take_if(|kept| kept.is_ready() && !kept.is_closed())
                    && let Ok(answer) = ask(kept, target, uri, posted, headers, most).await
                {
                    return Ok((answer.0, answer.1));
                }
                let kept = connect(target, uri).await?;
                ask(kept, target, uri, posted, headers, most).await
            };
            match tokio::time::timeout(within, all).await {
                Ok(sent) => sent,
                Err(_) => Err(format!("no answer within {} ms", within.as_millis())),
            }
        });
        let (answer, kept) = sent?;
        self.connection = Some(kept);
        Ok(answer)
    }
}

async fn ask(
    mut kept: SendRequest<Body>,
    target: &Target,
    uri: &Uri,
    posted: Option<(&str, &[u8])>,
    headers: &[(&'static str, String)],
    most: usize,
) -> Result<(Answer, SendRequest<Body>), String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = if posted.is_some() { Request::post(path) } else { Request::get(path) }
        .header(HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(USER_AGENT, concat!("onus/", env!("CARGO_PKG_VERSION")));
    if let Some((kind, _)) = posted {
        request = request.header(CONTENT_TYPE, kind);
    }
    if let Some(login) = login(&target.login)? {
        request = request.header(AUTHORIZATION, login);
    }
    for (name, value) in headers {
        request = request.header(*name, value.as_str());
    }
    let body = posted.map_or_else(Body::empty, |(_, body)| Body::from(body.to_vec()));
    let request = request.body(body).map_err(|error| error.to_string())?;
    kept.ready().await.map_err(|error| plain(&error))?;
    let answer = kept.send_request(request).await.map_err(|error| plain(&error))?;
    let status = answer.status().as_u16();
    let said = to_bytes(Body::new(answer.into_body()), most).await;
    if most != ANSWER && said.is_err() {
        return Err(format!("the answer broke off, or is longer than {most} bytes"));
    }
    let said = said.unwrap_or_default();
    Ok((Answer { status, body: String::from_utf8_lossy(&said).into_owned() }, kept))
}

async fn connect(target: &Target, uri: &Uri) -> Result<SendRequest<Body>, String> {
    let host = uri.host().ok_or("the address has no host")?.trim_matches(['[', ']']);
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(|error| format!("{host}:{port}: {error}"))?;
    let _ = stream.set_nodelay(true);
    if !secure {
        return speak(TokioIo::new(stream)).await;
    }
    let config = tls(target)?.configure().map_err(|error| format!("TLS: {error}"))?;
    let ssl = config.into_ssl(host).map_err(|error| format!("TLS: {error}"))?;
    let mut stream = tokio_openssl::SslStream::new(ssl, stream).map_err(|error| format!("TLS: {error}"))?;
    Pin::new(&mut stream).connect().await.map_err(|error| format!("{host}:{port}: TLS: {error}"))?;
    speak(TokioIo::new(stream)).await
}

async fn speak<S>(stream: TokioIo<S>) -> Result<SendRequest<Body>, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (kept, connection) = handshake(stream).await.map_err(|error| plain(&error))?;
    tokio::spawn(async move {
        // Whoever asks is told why.
        let _ = connection.await;
    });
    Ok(kept)
}

fn tls(target: &Target) -> Result<SslConnector, String> {
    let wrong = |what: &Path, error: &dyn std::fmt::Display| format!("TLS: {} cannot be used: {error}", what.display());
    let mut builder = SslConnector::builder(SslMethod::tls()).map_err(|error| format!("TLS: {error}"))?;
    builder.set_verify(SslVerifyMode::PEER);
    let system = || {
        let said = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        said.or_else(|| AUTHORITIES.iter().map(PathBuf::from).find(|path| path.exists()))
    };
    if let Some(path) = target.ca.clone().or_else(system) {
        builder.set_ca_file(&path).map_err(|error| wrong(&path, &error))?;
    }
    if let Some((cert, key)) = &target.own {
        builder.set_certificate_chain_file(cert).map_err(|error| wrong(cert, &error))?;
        builder.set_private_key_file(key, SslFiletype::PEM).map_err(|error| wrong(key, &error))?;
    }
    Ok(builder.build())
}

fn login(login: &Login) -> Result<Option<HeaderValue>, String> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<String, String>(text.trim_end_matches(['\n', '\r']).to_owned())
    };
    let text = match login {
        Login::Nobody => return Ok(None),
        Login::Bearer(file) => format!("Bearer {}", read(file)?),
        Login::Basic(name, file) => {
            format!("Basic {}", openssl::base64::encode_block(format!("{name}:{}", read(file)?).as_bytes()))
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| "the secret cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// An error with what is behind it: the first word alone says little.
fn plain(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
