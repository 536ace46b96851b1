//! What can be sent between threads, where there are threads.

use futures_util::future;

/// What a [`Storage`](super::Storage) must be beside what it does: `Send + Sync` on native targets, nothing on `wasm32`, where a
/// client lives in one thread and the browser's own objects cannot be sent.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> MaybeSend for T {}

/// What a [`Storage`](super::Storage) must be beside what it does: `Send + Sync` on native targets, nothing on `wasm32`, where a
/// client lives in one thread and the browser's own objects cannot be sent.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// A boxed future of a [`Storage`](super::Storage): `Send` on native targets, not on `wasm32`.
#[cfg(not(target_arch = "wasm32"))]
pub type StorageFuture<'a, T> = future::BoxFuture<'a, T>;

/// A boxed future of a [`Storage`](super::Storage): `Send` on native targets, not on `wasm32`.
#[cfg(target_arch = "wasm32")]
pub type StorageFuture<'a, T> = future::LocalBoxFuture<'a, T>;
