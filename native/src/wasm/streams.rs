//! Standard streams as callbacks: output on the thread that runs the guest, as it is written; input from a thread of
//! its own, because reading may block and the guest's deadline must not.

use crate::ffi::View;
use std::ffi::c_void;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// The largest piece that the guest hands over, or is handed, at once.
const PIECE: usize = 64 * 1024;

/// `coffer_wasm_output`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Output {
    write: Option<extern "C" fn(*mut c_void, View) -> bool>,
    context: *mut c_void,
}

// SAFETY: streams are used on the thread that runs the guest only, inside coffer_wasm_run.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

impl Output {
    fn put(self, bytes: &[u8]) -> bool {
        self.write.is_none_or(|write| write(self.context, View::from(bytes)))
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(*self)
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        if self.put(&bytes) {
            Ok(())
        } else {
            Err(StreamError::Closed)
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE)
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(if self.put(bytes) {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// `coffer_wasm_input`: owns `context`, which `release` gives back.
#[repr(C)]
pub struct Input {
    read: Option<extern "C" fn(*mut c_void, *mut u8, usize) -> usize>,
    release: Option<extern "C" fn(*mut c_void)>,
    context: *mut c_void,
}

// SAFETY: the header says that `read` and `release` are called from another thread, one at a time.
unsafe impl Send for Input {}

impl Drop for Input {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            release(self.context);
        }
    }
}

impl Input {
    pub fn is_empty(&self) -> bool {
        self.read.is_none()
    }

    /// An owned copy of what the caller's structure says.
    ///
    /// # Safety
    /// Done once for a structure: the copy releases the context.
    pub unsafe fn take(&self) -> Self {
        Self {
            read: self.read,
            release: self.release,
            context: self.context,
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut piece = vec![0; PIECE];
        let size = self
            .read
            .map_or(0, |read| read(self.context, piece.as_mut_ptr(), piece.len()));
        piece.truncate(size);
        piece
    }
}

/// Pieces come through a channel of one; the thread starts with the guest's first read.
pub struct Reader {
    input: Option<Input>,
    pieces: Option<mpsc::Receiver<Vec<u8>>>,
    piece: Vec<u8>,
    taken: usize,
}

// SAFETY: polled through exclusive references only.
unsafe impl Sync for Reader {}

impl Reader {
    pub fn new(input: Input) -> Self {
        Self {
            input: Some(input),
            pieces: None,
            piece: Vec::new(),
            taken: 0,
        }
    }

    fn start(&mut self) -> io::Result<()> {
        let Some(input) = self.input.take() else {
            return Ok(());
        };
        let (sender, receiver) = mpsc::channel(1);
        self.pieces = Some(receiver);
        std::thread::Builder::new().name("guest-stdin".into()).spawn(move || {
            loop {
                let piece = input.next();
                if piece.is_empty() || sender.blocking_send(piece).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.taken < self.piece.len() {
            return Poll::Ready(Ok(()));
        }
        self.start()?;
        if let Some(pieces) = &mut self.pieces {
            self.piece = ready!(pieces.poll_recv(context)).unwrap_or_default();
            self.taken = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_piece(context))?;
        let rest = &self.piece[self.taken..];
        let size = rest.len().min(out.remaining());
        out.put_slice(&rest[..size]);
        self.taken += size;
        Poll::Ready(Ok(()))
    }
}
