//! One name for "may move to another thread", which holds on native targets and has no meaning in a browser.

use std::future::Future;

/// Is [`Send`] on native targets. On `wasm32` every type has it: JavaScript values are not `Send`, and there is one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}

#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + ?Sized> MaybeSend for T {}

/// Is [`Send`] on native targets. On `wasm32` every type has it: JavaScript values are not `Send`, and there is one thread.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}

#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// Is [`Sync`] on native targets. On `wasm32` every type has it, as with [`MaybeSend`].
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSync: Sync {}

#[cfg(not(target_arch = "wasm32"))]
impl<T: Sync + ?Sized> MaybeSync for T {}

/// Is [`Sync`] on native targets. On `wasm32` every type has it, as with [`MaybeSend`].
#[cfg(target_arch = "wasm32")]
pub trait MaybeSync {}

#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSync for T {}

/// A boxed future that is [`MaybeSend`]. `Box::pin` makes one on every target.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxedFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// A boxed future that is [`MaybeSend`]. `Box::pin` makes one on every target.
#[cfg(target_arch = "wasm32")]
pub type BoxedFuture<'a, T> = futures_util::future::LocalBoxFuture<'a, T>;

/// Boxes futures where no type says which kind of box is meant.
pub trait IntoBoxed: Future {
    /// Returns the future as a [`BoxedFuture`].
    fn into_boxed<'a>(self) -> BoxedFuture<'a, Self::Output>
    where
        Self: Sized + MaybeSend + 'a,
    {
        Box::pin(self)
    }
}

impl<T: Future> IntoBoxed for T {}
