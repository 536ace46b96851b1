//! Real proxies and servers of TLS on loopback, each in front of another server.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::test_chain;

/// A server on loopback that records what it saw.
pub struct Relay {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// What it was asked for, each once a connection.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn start<F>(converse: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let runtime = test_chain().runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let record = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&record)));
            }
        });
        Self { port, seen }
    }

    /// A SOCKS 5 server (RFC 1928, with user names by RFC 1929 if `user` is given). Whatever the client wants to reach, it
    /// reaches the server that `route` gives for that port.
    pub fn socks5(
        user: Option<&'static str>,
        route: impl Fn(u16) -> SocketAddr + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |stream, seen| socks5(stream, seen, user, route.clone()))
    }

    /// An HTTP proxy that knows CONNECT alone, as proxies for HTTPS do.
    pub fn connect(to: SocketAddr) -> Self {
        Self::start(move |stream, seen| connect(stream, seen, to))
    }

    /// Hands every byte on to `to`.
    pub fn plain(to: SocketAddr) -> Self {
        Self::start(move |mut stream, seen| async move {
            seen.lock().unwrap().push("connection".to_owned());
            let mut upstream = TcpStream::connect(to).await?;
            copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
        })
    }

    /// Ends TLS with the certificate of that name, and hands what is inside on to `to`.
    pub fn tls(certificate: &str, to: SocketAddr) -> Self {
        let acceptor = acceptor(certificate);
        Self::start(move |stream, seen| {
            let acceptor = acceptor.clone();
            async move {
                let mut inside = acceptor.accept(stream).await?;
                seen.lock().unwrap().push("TLS".to_owned());
                let mut upstream = TcpStream::connect(to).await?;
                copy_bidirectional(&mut inside, &mut upstream).await.map(drop)
            }
        })
    }

    /// Answers every connection with these bytes.
    pub fn blind(answer: Vec<u8>) -> Self {
        Self::start(move |mut stream, seen| {
            let answer = answer.clone();
            async move {
                seen.lock().unwrap().push("connection".to_owned());
                // A part of the request is enough: the answer never depends on it.
                let _ = stream.read(&mut [0; 4096]).await?;
                stream.write_all(&answer).await?;
                stream.shutdown().await
            }
        })
    }
}

/// The path of a file beside the tests.
pub fn certificate_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/certificates").join(name)
}

fn acceptor(certificate: &str) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(certificate_path(&format!("{certificate}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate_path("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn socks5(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<String>>>,
    user: Option<&'static str>,
    route: impl Fn(u16) -> SocketAddr,
) -> io::Result<()> {
    let [version, methods] = read(&mut stream).await?;
    assert_eq!(version, 5);
    let mut offered = vec![0; methods.into()];
    stream.read_exact(&mut offered).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !offered.contains(&method) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, method]).await?;
    if let Some(user) = user {
        let [_, length] = read(&mut stream).await?;
        let mut name = vec![0; length.into()];
        stream.read_exact(&mut name).await?;
        let [length] = read(&mut stream).await?;
        let mut password = vec![0; length.into()];
        stream.read_exact(&mut password).await?;
        let given = format!("{}:{}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&password));
        stream.write_all(&[1, u8::from(given != user)]).await?;
        if given != user {
            return Ok(());
        }
    }
    let [version, command, _, kind] = read(&mut stream).await?;
    assert_eq!((version, command), (5, 1), "CONNECT");
    let host = match kind {
        1 => std::net::Ipv4Addr::from(read::<4>(&mut stream).await?).to_string(),
        4 => std::net::Ipv6Addr::from(read::<16>(&mut stream).await?).to_string(),
        _ => {
            let [length] = read(&mut stream).await?;
            let mut name = vec![0; length.into()];
            stream.read_exact(&mut name).await?;
            String::from_utf8_lossy(&name).into_owned()
        }
    };
    let port = u16::from_be_bytes(read(&mut stream).await?);
    seen.lock().unwrap().push(host);
    let mut upstream = TcpStream::connect(route(port)).await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn connect(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: Arc<Mutex<Vec<String>>>,
    to: SocketAddr,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    seen.lock().unwrap().push(line.to_owned());
    if !line.starts_with("CONNECT ") {
        return stream.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await;
    }
    let mut upstream = TcpStream::connect(to).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
}
