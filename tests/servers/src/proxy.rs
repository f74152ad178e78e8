//! A TCP proxy between a client and its server that counts round trips, and breaks connections where a test wants it.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A loopback proxy. Dropping it closes all of its connections.
#[derive(Debug)]
pub struct CuttableProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    refuses: AtomicBool,
    stalls: AtomicBool,
    closed: AtomicBool,
    connections: AtomicU64,
    round_trips: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
    /// Bytes of answers that still pass before the connection is cut; negative: all.
    cut_after: AtomicI64,
    open: Mutex<Vec<TcpStream>>,
}

impl CuttableProxy {
    /// Starts a proxy in front of the server on that loopback port.
    ///
    /// # Errors
    /// [`io::Error`]
    pub fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: (Ipv4Addr::LOCALHOST, port).into(),
            refuses: AtomicBool::new(false),
            stalls: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            round_trips: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            cut_after: AtomicI64::new(-1),
            open: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Ok(Self { shared, address })
    }

    /// The port that clients connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes every connection now.
    pub fn cut(&self) {
        for stream in self.shared.open().drain(..) {
            // It fails where the other side was faster.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes the connection that carries the answer on which the number of further bytes to the client is reached: in
    /// the middle of that answer, if the number says so. Once.
    pub fn cut_after(&self, bytes: u32) {
        self.shared.cut_after.store(i64::from(bytes), Ordering::SeqCst);
    }

    /// Whether new connections are closed at once, as by a machine without that server. Those that are open stay.
    pub fn refuse(&self, refuse: bool) {
        self.shared.refuses.store(refuse, Ordering::SeqCst);
    }

    /// Whether nothing passes any more, in either direction, as in a network that swallows packets.
    pub fn stall(&self, stall: bool) {
        self.shared.stalls.store(stall, Ordering::SeqCst);
    }

    /// Connections made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How often an answer followed a request so far. Of a client that waits for each answer before it asks again this is
    /// the number of its round trips, whatever it sends at a time.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.shared.round_trips.load(Ordering::SeqCst)
    }

    /// Bytes that went to the server, and to clients, so far.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.shared.to_server.load(Ordering::SeqCst), self.shared.to_client.load(Ordering::SeqCst))
    }
}

impl Drop for CuttableProxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // So that the thread that accepts looks.
        drop(TcpStream::connect(self.address));
        self.cut();
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            if !self.refuses.load(Ordering::SeqCst) {
                // A client whose server is not there is turned away.
                let _ = self.connect(client);
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.target)?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        self.open().extend([client.try_clone()?, server.try_clone()?]);
        self.connections.fetch_add(1, Ordering::SeqCst);
        let asked = Arc::new(AtomicBool::new(false));
        let (up, down) = ((client.try_clone()?, server.try_clone()?), (server, client));
        for (from_server, (from, to)) in [(false, up), (true, down)] {
            let (shared, asked) = (Arc::clone(self), Arc::clone(&asked));
            thread::spawn(move || {
                // An error is the end of the connection.
                let _ = shared.pump(&from, &to, from_server, &asked);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn pump(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        from_server: bool,
        asked: &AtomicBool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            while self.stalls.load(Ordering::SeqCst) && !self.closed.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            let mut passes = length;
            if from_server {
                if asked.swap(false, Ordering::SeqCst) {
                    self.round_trips.fetch_add(1, Ordering::SeqCst);
                }
                passes = self.passes(length);
                self.to_client.fetch_add(passes as u64, Ordering::SeqCst);
            } else {
                asked.store(true, Ordering::SeqCst);
                self.to_server.fetch_add(passes as u64, Ordering::SeqCst);
            }
            to.write_all(&buffer[..passes])?;
            if passes < length {
                return Ok(());
            }
        }
    }

    /// How many of the next bytes to the client pass before the cut.
    fn passes(&self, length: usize) -> usize {
        let before = self.cut_after.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            0.. => Some((left - length as i64).max(-1)),
            _ => None,
        });
        match before {
            Ok(left) => usize::try_from(left).unwrap_or_default().min(length),
            Err(_) => length,
        }
    }
}
