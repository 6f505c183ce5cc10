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
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

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

    fn send(&self, message: &Message) -> Result<http::Response<WasiBody>, Error> {
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
        let body = Full::new(Bytes::from(body))
            .map_err(|never| match never {})
            .boxed_unsync();
        builder.body(body).map_err(|_| Error::HttpProtocolError)
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
    pub outgoing: Option<Arc<Outgoing>>,
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
        let outgoing = self.outgoing.clone();
        Box::new(async move {
            let outgoing = outgoing.ok_or(Error::HttpRequestDenied)?;
            let message = read(&outgoing, request, options).await?;
            let sent = tokio::task::spawn_blocking(move || outgoing.send(&message)).await;
            let response = sent.map_err(|error| Error::InternalError(Some(error.to_string())))??;
            Ok((response, Box::new(async { Ok(()) }) as Rest))
        })
    }
}

/// Checked before the guest's body is waited for.
async fn read(
    outgoing: &Outgoing,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Message, Error> {
    let (parts, body) = request.into_parts();
    let secure = parts.uri.scheme() == Some(&Scheme::HTTPS);
    let host_and_port = authority_of(&parts.uri, secure)?;
    if !outgoing.allows(&host_and_port) {
        return Err(Error::HttpRequestDenied);
    }
    // CONNECT would make of one allowed host a way to all that it reaches.
    if parts.method == http::Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let slash = if path.starts_with('/') { "" } else { "/" };
    let scheme = if secure { "https" } else { "http" };
    // Host, length and framing are made anew by who sends; a guest's own must not disagree with them.
    let headers = parts
        .headers
        .iter()
        .filter(|(name, _)| ![http::header::HOST, http::header::CONTENT_LENGTH, http::header::EXPECT].contains(name));
    Ok(Message {
        method: parts.method.to_string(),
        url: format!("{scheme}://{host_and_port}{slash}{path}"),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: collect(body, outgoing.max_body).await?,
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
