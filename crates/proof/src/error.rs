//! Why a proof was refused.

use alloy_primitives::B256;
use thiserror::Error;

/// Why a proof was refused.
///
/// Every variant is the provider's fault: it sent bytes that prove nothing about what was asked. The wallet shows
/// no amount from that reply and asks another provider. If a caller checks an honest proof under the wrong root, the
/// error is [`HashMismatch`](Self::HashMismatch) at node 0: this crate cannot tell the two cases apart.
///
/// Nodes are counted from 0 in the order of the proof. Depths are nibbles of the hashed key, 0 at the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The provider sent more nodes than any path can have. No node was hashed.
    #[error("the proof has {got} nodes, more than {limit}")]
    TooManyNodes {
        /// Nodes sent.
        got: usize,
        /// [`MAX_NODES`](crate::trie::MAX_NODES).
        limit: usize,
    },
    /// The provider sent a node larger than any that can occur. No node was hashed.
    #[error("node {node} has {got} bytes, more than {limit}")]
    NodeTooLarge {
        /// Which node.
        node: usize,
        /// Its size in bytes.
        got: usize,
        /// [`MAX_NODE_BYTES`](crate::trie::MAX_NODE_BYTES).
        limit: usize,
    },
    /// The provider sent no nodes, though the trie is not empty: it claims absence and proves nothing.
    #[error("no nodes were sent for the trie {expected}")]
    EmptyProof {
        /// The root whose node is missing. Zero if the root was to be read from the proof.
        expected: B256,
    },
    /// The provider sent a node that its parent (or the root) does not name: of another trie, of another key, or altered.
    #[error("node {node} has the hash {got}, not {expected}")]
    HashMismatch {
        /// Which node.
        node: usize,
        /// The hash its parent names.
        expected: B256,
        /// Its own hash.
        got: B256,
    },
    /// The provider sent a proof that stops before the answer.
    #[error("the proof stops at depth {depth}, before the answer; its nodes: {nodes}")]
    Truncated {
        /// Nodes sent, all used.
        nodes: usize,
        /// Nibbles walked.
        depth: usize,
    },
    /// The provider sent more nodes than the answer needs.
    #[error("nodes that were sent: {got}; the answer needs {used}")]
    ExtraNodes {
        /// Nodes sent.
        got: usize,
        /// Nodes on the path.
        used: usize,
    },
    /// The trie has a path longer than any hashed key: the provider made it up.
    #[error("node {node} reaches a depth of {got} nibbles, past {limit}")]
    PathTooLong {
        /// Which node.
        node: usize,
        /// The depth its path would end at, in nibbles.
        got: usize,
        /// 64.
        limit: usize,
    },
    /// A node that is named by its hash is shorter than a hash. It should be embedded in its parent.
    #[error("node {node} is referenced by hash but has a length of only {got}")]
    NodeTooShort {
        /// Which node.
        node: usize,
        /// Its size in bytes.
        got: usize,
    },
    /// The provider sent a node that is not a valid trie node.
    #[error("node {node} at depth {depth} is malformed: {cause}")]
    MalformedNode {
        /// Which node (an embedded node counts as the one it is embedded in).
        node: usize,
        /// Nibbles walked before it.
        depth: usize,
        /// What is wrong with it.
        #[source]
        cause: NodeError,
    },
    /// The value under the key is not an account or not a storage word: the provider made it up.
    #[error("the value found is malformed: {cause}")]
    MalformedLeaf {
        /// What is wrong with it.
        #[source]
        cause: LeafError,
    },
}

/// What is wrong with a trie node. Always the provider's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// It is not canonical RLP of the shape a node has.
    #[error(transparent)]
    Rlp(#[from] RlpError),
    /// It has neither 2 items (a leaf or an extension) nor 17 (a branch).
    #[error("a node has 2 or 17 items, this has {got}{}", if *.got > 17 { " or more" } else { "" })]
    ItemCount {
        /// Items found, counted up to 18.
        got: usize,
    },
    /// The string that names a child is not a hash.
    #[error("a child's hash has 32 bytes, this has {got}")]
    ChildLength {
        /// Length of the string in bytes.
        got: usize,
    },
    /// A child is embedded, although it is long enough to be named by its hash.
    #[error("an embedded child has fewer than 32 bytes, this has more than its payload of {got}")]
    ChildTooLarge {
        /// Length of its payload in bytes, without the header.
        got: usize,
    },
    /// An extension has no child.
    #[error("an extension has no child")]
    MissingChild,
    /// An extension has a path of no nibbles.
    #[error("an extension has a path of no nibbles")]
    EmptyExtension,
    /// A leaf has no value.
    #[error("a leaf has no value")]
    EmptyValue,
    /// The path of a leaf or an extension is empty: it lacks its flags.
    #[error("the path has no flags")]
    MissingPath,
    /// The flag nibble of a path is not 0, 1, 2 or 3.
    #[error("the flag nibble of a path is {got}, past 3")]
    PathFlag {
        /// The flag nibble.
        got: u8,
    },
    /// The padding nibble of an even path is not zero.
    #[error("the padding nibble of a path is {got}, not 0")]
    PathPadding {
        /// The padding nibble.
        got: u8,
    },
}

/// What is wrong with an account or a storage value. Always the provider's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LeafError {
    /// It is not canonical RLP of the shape it must have.
    #[error(transparent)]
    Rlp(#[from] RlpError),
    /// An account does not have exactly 4 fields.
    #[error("an account has 4 fields, this has {got}{}", if *.got > 4 { " or more" } else { "" })]
    FieldCount {
        /// Fields found, counted up to 5.
        got: usize,
    },
    /// An account's nonce does not fit in 64 bits.
    #[error("the nonce does not fit in 64 bits")]
    NonceTooLarge,
    /// A storage value is zero. No trie holds a zero: setting a slot to zero removes it.
    #[error("a storage value of zero")]
    ZeroValue,
}

/// What is wrong with an RLP item. Always the provider's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RlpError {
    /// A length reaches past the end of the input, or the input is empty.
    #[error("an item reaches past the end")]
    PastTheEnd,
    /// Bytes follow the item.
    #[error("bytes after the item: {got}")]
    TrailingBytes {
        /// How many.
        got: usize,
    },
    /// A longer encoding was used where a shorter one exists.
    #[error("a longer encoding than needed")]
    LongForm,
    /// An integer or a length starts with a zero byte.
    #[error("an integer or a length starts with zero")]
    LeadingZero,
    /// An integer is longer than it may be.
    #[error("an integer of {got} bytes, more than {limit}")]
    IntegerTooLong {
        /// Its length in bytes.
        got: usize,
        /// Its maximum length in bytes.
        limit: usize,
    },
    /// A word or hash is not 32 bytes long.
    #[error("a word of {got} bytes, not 32")]
    WordLength {
        /// Its length in bytes.
        got: usize,
    },
    /// A list where a string is required.
    #[error("a list where a string must be")]
    ListForString,
    /// A string where a list is required.
    #[error("a string where a list must be")]
    StringForList,
}
