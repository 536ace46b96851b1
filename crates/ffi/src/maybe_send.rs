//! Names for "may be used from another thread", which have no meaning in a browser.

/// Is `Send + Sync` on native targets, and empty on `wasm32`.
#[cfg(not(target_arch = "wasm32"))]
pub trait Shared: Send + Sync {}

#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> Shared for T {}

/// Is `Send + Sync` on native targets, and empty on `wasm32`.
#[cfg(target_arch = "wasm32")]
pub trait Shared {}

#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> Shared for T {}

/// Is `Send` on native targets, and empty on `wasm32`.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) trait MaybeSend: Send {}

#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + ?Sized> MaybeSend for T {}

/// Is `Send` on native targets, and empty on `wasm32`.
#[cfg(target_arch = "wasm32")]
pub(crate) trait MaybeSend {}

#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}
