//! How much of what was acknowledged survives what.

/// What is on the medium when a write or a removal is acknowledged.
///
/// Every level survives the end of the process, `kill -9` included: a record is always the old or the new one, never
/// a mixture. They differ in what a power cut or a crash of the kernel may undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// The file and its name: nothing that was acknowledged is lost, and no logout is undone.
    #[default]
    Full,
    /// The file, not its name: a record never loses its content, but the newest writes and removals may be undone.
    Data,
    /// Nothing: left to the kernel, which writes within half a minute or so. The newest records may be lost or damaged
    /// (which is noticed, never served), and the newest removals undone.
    Process,
}

impl Durability {
    pub(crate) const fn syncs_file(self) -> bool {
        matches!(self, Self::Full | Self::Data)
    }

    pub(crate) const fn syncs_folder(self) -> bool {
        matches!(self, Self::Full)
    }
}
