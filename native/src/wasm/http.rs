//! One request to a component that exports `wasi:http/incoming-handler`.

use super::limits::State;
use super::run::{Ended, Failure, failure_of};
use http_body_util::{BodyExt, Full};
use std::pin::pin;
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

pub type Headers = Vec<(String, Vec<u8>)>;

pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub authority: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// Bytes of body that the guest may answer with.
    pub response_limit: usize,
}

pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

type Answer = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

pub async fn handle(pre: &ProxyPre<State>, store: &mut Store<State>, request: &Request) -> Result<Ended, Failure> {
    let incoming = incoming_of(request).map_err(|error| Failure::BadArguments(error.to_string()))?;
    let (sender, receiver) = oneshot::channel();
    let mut view = store.data_mut().http();
    let incoming = view
        .new_incoming_request(Scheme::Http, incoming)
        .map_err(|error| Failure::BadArguments(format!("{error:#}")))?;
    let outparam = view.new_response_outparam(sender).map_err(failure_of)?;
    let proxy = pre.instantiate_async(&mut *store).await.map_err(failure_of)?;

    // The body is read while the guest writes it: only a piece is buffered between them.
    let mut answer = pin!(collect(receiver, request.response_limit));
    let mut early = None;
    let called = {
        let handler = proxy.wasi_http_incoming_handler();
        let mut call = pin!(handler.call_handle(&mut *store, incoming, outparam));
        loop {
            tokio::select! {
                biased;
                called = &mut call => break called,
                collected = &mut answer, if early.is_none() => early = Some(collected),
            }
        }
    };
    called.map_err(failure_of)?;
    if let Some(collected) = early {
        return collected.map(Ended::Answered);
    }
    // What the guest left open ends here, or the answer would wait for it.
    *store.data_mut().http().table = ResourceTable::new();
    answer.await.map(Ended::Answered)
}

fn incoming_of(request: &Request) -> http::Result<http::Request<Full<bytes::Bytes>>> {
    let uri = http::Uri::builder()
        .scheme("http")
        .authority(request.authority.as_str())
        .path_and_query(request.target.as_str())
        .build()?;
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(uri);
    for (name, value) in &request.headers {
        builder = builder.header(name.as_str(), value.as_slice());
    }
    builder.body(Full::new(bytes::Bytes::copy_from_slice(&request.body)))
}

async fn collect(receiver: oneshot::Receiver<Answer>, limit: usize) -> Result<Response, Failure> {
    let answer = receiver
        .await
        .map_err(|_| Failure::NoResponse("the guest ended without an answer".to_owned()))?;
    let response = answer.map_err(|code| Failure::NoResponse(format!("the guest answered with an error: {code:?}")))?;
    let (parts, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::NoResponse(format!("the guest's answer broke off: {error:?}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Failure::NoResponse(format!("the guest's answer is over {limit} bytes")));
        }
        bytes.extend_from_slice(&data);
    }
    let headers = parts.headers.iter();
    Ok(Response {
        status: parts.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: bytes,
    })
}
