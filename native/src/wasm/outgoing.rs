//! What a guest sends by wasi:http. Whether it may, and the exchange itself, is the embedding program's: it blocks, so it
//! has a thread of its own, and the guest's deadline goes on meanwhile.

use crate::ffi::{Buffer, View};
use crate::wasm::http::Headers;
use crate::wasm::pairs::{self, Pair};
use bytes::Bytes;
use http::uri::Scheme;
use http_body_util::{BodyExt, Full};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Requests of one guest on their way at the same time; each has a thread, and a body each way. More wait.
const MOST_AT_ONCE: usize = 8;
/// Bodies of answers that one guest may leave unread, each of the largest size.
const MOST_UNREAD: usize = 4;
/// Bytes that the guest may write of a body before somebody takes them.
const PIECE: usize = 64 << 10;

/// `coffer_wasm_sent`.
const SENT: i32 = 0;

/// `coffer_wasm_outgoing_request`.
#[repr(C)]
pub struct Request {
    method: View,
    url: View,
    headers: *const Pair,
    header_count: usize,
    body: View,
    first_byte_milliseconds: u64,
}

/// `coffer_wasm_response`, of the other direction.
#[repr(C)]
pub struct Response {
    status: u32,
    headers: Buffer,
    body: Buffer,
}

/// `coffer_wasm_outgoing`: owns `context`, which `release` gives back.
#[repr(C)]
pub struct Outgoing {
    allows: Option<extern "C" fn(*mut c_void, View) -> bool>,
    send: Option<extern "C" fn(*mut c_void, *const Request, *mut Response) -> i32>,
    release: Option<extern "C" fn(*mut c_void)>,
    context: *mut c_void,
    max_body: usize,
}

// SAFETY: the header says that the functions are called from any thread, several at a time.
unsafe impl Send for Outgoing {}
// SAFETY: as above.
unsafe impl Sync for Outgoing {}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            release(self.context);
        }
    }
}

/// A request that was read whole.
struct Message {
    method: String,
    url: String,
    headers: Headers,
    body: Bytes,
    first_byte: Duration,
}

impl Outgoing {
    /// An owned copy of what the caller's structure says; nothing where it says nothing.
    ///
    /// # Safety
    /// Done once for a structure: the copy releases the context.
    pub unsafe fn take(&self) -> Option<Self> {
        self.send.is_some().then_some(Self {
            allows: self.allows,
            send: self.send,
            release: self.release,
            context: self.context,
            max_body: self.max_body,
        })
    }

    fn allows(&self, host_and_port: &str) -> bool {
        self.allows
            .is_some_and(|allows| allows(self.context, View::from(host_and_port.as_bytes())))
    }

    /// The answer's head, and its body.
    fn send(&self, message: &Message) -> Result<(http::response::Builder, Vec<u8>), Error> {
        let headers: Vec<Pair> = message.headers.iter().map(Pair::from).collect();
        let request = Request {
            method: View::from(message.method.as_bytes()),
            url: View::from(message.url.as_bytes()),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: View::from(&message.body[..]),
            first_byte_milliseconds: u64::try_from(message.first_byte.as_millis()).unwrap_or(u64::MAX),
        };
        let mut response = Response {
            status: 0,
            headers: Buffer::EMPTY,
            body: Buffer::EMPTY,
        };
        let send = self.send.ok_or(Error::HttpRequestDenied)?;
        let outcome = send(self.context, &raw const request, &raw mut response);
        let (headers, body) = (response.headers.into_vec(), response.body.into_vec());
        if outcome != SENT {
            return Err(error_of(outcome, &headers));
        }
        let mut builder = http::Response::builder().status(u16::try_from(response.status).unwrap_or(0));
        for (name, value) in pairs::split_lines(&headers) {
            builder = builder.header(name, value);
        }
        Ok((builder, body))
    }
}

/// The outgoing side of one guest, within its bounds.
pub struct Sender {
    outgoing: Outgoing,
    running: Arc<Semaphore>,
    unread: AtomicUsize,
}

impl Sender {
    pub fn new(outgoing: Outgoing) -> Self {
        Self {
            outgoing,
            running: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            unread: AtomicUsize::new(0),
        }
    }

    async fn exchange(
        self: Arc<Self>,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<http::Response<WasiBody>, Error> {
        let target = Target::of(&request)?;
        if !self.outgoing.allows(&target.host_and_port) {
            return Err(Error::HttpRequestDenied);
        }
        let closed = |_| Error::InternalError(None);
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(closed)?;
        let message = read(target, request, options, self.outgoing.max_body).await?;
        let sender = Arc::clone(&self);
        let work = move || {
            let _turn = turn; // goes on where the guest does not wait any more
            sender.outgoing.send(&message)
        };
        let sent = tokio::task::spawn_blocking(work).await;
        let (head, body) = sent.map_err(|error| Error::InternalError(Some(error.to_string())))??;
        let body = Full::new(self.hold(body)?).map_err(|never| match never {});
        head.body(body.boxed_unsync()).map_err(|_| Error::HttpProtocolError)
    }

    /// Counted until the guest has read or dropped it.
    fn hold(self: &Arc<Self>, body: Vec<u8>) -> Result<Bytes, Error> {
        let size = body.len();
        let before = self.unread.fetch_add(size, Ordering::Relaxed);
        let held = Unread {
            body,
            sender: Arc::clone(self),
        };
        if before.saturating_add(size) > self.outgoing.max_body.saturating_mul(MOST_UNREAD) {
            return Err(Error::HttpResponseBodySize(Some(size as u64)));
        }
        Ok(Bytes::from_owner(held))
    }
}

struct Unread {
    body: Vec<u8>,
    sender: Arc<Sender>,
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.sender.unread.fetch_sub(self.body.len(), Ordering::Relaxed);
    }
}

/// `coffer_wasm_sent`; the message is in the place of the headers.
fn error_of(outcome: i32, message: &[u8]) -> Error {
    match outcome {
        1 => Error::HttpRequestDenied,
        2 => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        3 => Error::ConnectionRefused,
        4 => Error::ConnectionTerminated,
        5 => Error::TlsCertificateError,
        6 => Error::HttpResponseTimeout,
        7 => Error::HttpResponseBodySize(None),
        8 => Error::HttpProtocolError,
        9 => Error::HttpRequestUriInvalid,
        _ => Error::InternalError(Some(String::from_utf8_lossy(message).into_owned())),
    }
}

/// No guest reaches a network unless somebody said so.
#[derive(Default)]
pub struct Hooks {
    pub sender: Option<Arc<Sender>>,
}

type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Rest), Error>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let sender = self.sender.clone();
        Box::new(async move {
            let sender = sender.ok_or(Error::HttpRequestDenied)?;
            let response = sender.exchange(request, options).await?;
            Ok((response, Box::new(async { Ok(()) }) as Rest))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }
}

/// Where a request goes; known before its body is waited for.
struct Target {
    scheme: &'static str,
    host_and_port: String,
    path: String,
}

impl Target {
    fn of(request: &http::Request<WasiBody>) -> Result<Self, Error> {
        let uri = request.uri();
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            scheme: if secure { "https" } else { "http" },
            host_and_port: authority_of(uri, secure)?,
            path: format!("{slash}{path}"),
        })
    }
}

async fn read(
    target: Target,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
    max_body: usize,
) -> Result<Message, Error> {
    let (parts, body) = request.into_parts();
    // CONNECT would make of one allowed host a way to all that it reaches.
    if parts.method == http::Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    // Host, length and framing are made anew by who sends; a guest's own must not disagree with them.
    let headers = parts
        .headers
        .iter()
        .filter(|(name, _)| ![http::header::HOST, http::header::CONTENT_LENGTH, http::header::EXPECT].contains(name));
    Ok(Message {
        method: parts.method.to_string(),
        url: format!("{}://{}{}", target.scheme, target.host_and_port, target.path),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: collect(body, max_body).await?,
        first_byte: options
            .and_then(|options| options.first_byte_timeout)
            .unwrap_or_default(),
    })
}

/// "host:port" in lower case. User information is nothing that a list of hosts speaks about.
fn authority_of(uri: &http::Uri, secure: bool) -> Result<String, Error> {
    let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
    if authority.as_str().contains('@') {
        return Err(Error::HttpRequestUriInvalid);
    }
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    Ok(format!("{}:{port}", authority.host().to_ascii_lowercase()))
}

async fn collect(mut body: WasiBody, limit: usize) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Error::HttpRequestBodySize(Some(limit as u64)));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Bytes::from(bytes))
}
