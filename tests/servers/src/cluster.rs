//! A Redis Cluster of three masters.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use crate::{
    error::StartError,
    port,
    redis::{RedisRecipe, RedisServer, ask},
};

/// Three masters that share the slots, and perhaps a replica of the first. Dropping it ends them.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the nodes, gives each a third of the slots, and waits until all of them know.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start() -> Result<Self, StartError> {
        Self::start_with(&RedisRecipe::default())
    }

    /// The same with settings for every node.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn start_with(recipe: &RedisRecipe) -> Result<Self, StartError> {
        Self::of::<MASTERS>(recipe)
    }

    /// The same with a fourth node, a replica of the first, that takes over when the first is gone: the other two elect it.
    ///
    /// # Errors
    /// [`StartError`]
    pub fn with_replica() -> Result<Self, StartError> {
        let cluster = Self::of::<{ MASTERS + 1 }>(&RedisRecipe::default())?;
        cluster.make_replica().map_err(StartError::io("make a replica"))?;
        cluster.wait_until("the replica is known", |node| {
            let others = node
                .ask("CLUSTER NODES")
                .is_ok_and(|nodes| nodes.contains(" slave ") || nodes.contains(",slave "));
            let link = node.port() != cluster.nodes[MASTERS].port()
                || node.ask("INFO replication").is_ok_and(|told| told.contains("master_link_status:up"));
            others && link
        })?;
        Ok(cluster)
    }

    fn of<const NODES: usize>(recipe: &RedisRecipe) -> Result<Self, StartError> {
        let bus: [u16; NODES] = port::several().map_err(StartError::io("find free ports"))?;
        let node = |port: &u16| {
            let recipe =
                recipe.clone().set("cluster-enabled", "yes").set("cluster-config-file", "nodes.conf");
            // A node that is down makes its own slots fail, and no others.
            let recipe =
                recipe.set("cluster-node-timeout", "2000").set("cluster-require-full-coverage", "no");
            recipe.set("cluster-port", port.to_string()).start()
        };
        let cluster = Self { nodes: bus.iter().map(node).collect::<Result<_, _>>()? };
        cluster.form(&bus).map_err(StartError::io("join the nodes"))?;
        cluster.wait_until("all know all", |node| knows(node, NODES))?;
        Ok(cluster)
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&RedisServer) -> bool) -> Result<(), StartError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.nodes.iter().all(&is_so) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        let log = self.nodes.iter().map(|node| node.log()).collect::<Vec<_>>().join("\n--\n");
        Err(StartError::NotReady { server: "redis-server", log: format!("not reached: {what}\n{log}") })
    }

    fn make_replica(&self) -> io::Result<()> {
        let answer = self.nodes[0].ask("CLUSTER MYID")?;
        let master = answer.lines().nth(1).unwrap_or_default();
        self.nodes[MASTERS].ask(&format!("CLUSTER REPLICATE {master}")).map(drop)
    }

    /// The nodes, the masters first.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The URL of every node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// The nodes by themselves, in order.
    #[must_use]
    pub fn into_nodes(mut self) -> Vec<RedisServer> {
        std::mem::take(&mut self.nodes)
    }

    fn form(&self, bus: &[u16]) -> io::Result<()> {
        for (epoch, node) in (1..).zip(&self.nodes) {
            node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"))?;
        }
        for ((first, last), node) in SLOTS.iter().zip(&self.nodes) {
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"))?;
        }
        // Each meets each, so that nobody waits for gossip.
        for (number, node) in self.nodes.iter().enumerate() {
            for (other, bus) in self.nodes.iter().zip(bus).skip(number + 1) {
                node.ask(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port()))?;
            }
        }
        Ok(())
    }
}

fn knows(node: &RedisServer, nodes: usize) -> bool {
    let Ok(info) = ask(node.port(), "CLUSTER INFO") else { return false };
    let known = format!("cluster_known_nodes:{nodes}");
    ["cluster_state:ok", "cluster_slots_assigned:16384", "cluster_slots_ok:16384", &known]
        .iter()
        .all(|wanted| info.contains(wanted))
}

const MASTERS: usize = 3;
const SLOTS: [(u16, u16); MASTERS] = [(0, 5460), (5461, 10922), (10923, 16383)];
const PATIENCE: Duration = Duration::from_secs(60);
