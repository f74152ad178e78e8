//! A Redis Cluster of three masters, without replicas.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use crate::{
    error::StartError,
    port,
    redis::{RedisRecipe, RedisServer, ask},
};

/// Three masters that share the slots. Dropping it ends them.
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
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if cluster.nodes.iter().all(knows_all) {
                return Ok(cluster);
            }
            thread::sleep(Duration::from_millis(10));
        }
        let log = cluster.nodes.iter().map(|node| node.log()).collect::<Vec<_>>().join("\n--\n");
        Err(StartError::NotReady { server: "redis-server", log })
    }

    /// The nodes.
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

    fn form(&self, bus: &[u16; NODES]) -> io::Result<()> {
        for (number, node) in self.nodes.iter().enumerate() {
            let slots = SLOTS[number];
            node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1))?;
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {} {}", slots.0, slots.1))?;
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

fn knows_all(node: &RedisServer) -> bool {
    let Ok(info) = ask(node.port(), "CLUSTER INFO") else { return false };
    let known = format!("cluster_known_nodes:{NODES}");
    ["cluster_state:ok", "cluster_slots_assigned:16384", "cluster_slots_ok:16384", &known]
        .iter()
        .all(|wanted| info.contains(wanted))
}

const NODES: usize = 3;
const SLOTS: [(u16, u16); NODES] = [(0, 5460), (5461, 10922), (10923, 16383)];
const PATIENCE: Duration = Duration::from_secs(60);
