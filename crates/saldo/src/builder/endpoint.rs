//! Endpoints as the caller gives them.

use std::convert::Infallible;

use saldo_source::{Endpoint, EndpointError};

/// A mirror endpoint, or why the endpoint cannot be a mirror.
pub(super) struct GivenMirror(pub(super) Result<Endpoint, EndpointError>);

impl TryFrom<GivenMirror> for Endpoint {
    type Error = EndpointError;

    fn try_from(given: GivenMirror) -> Result<Self, EndpointError> {
        given.0
    }
}

/// Converts the error of a conversion into [`Endpoint`] to an [`EndpointError`]. A conversion that cannot fail
/// has [`Infallible`].
pub trait IntoEndpointError {
    /// Returns the error as an [`EndpointError`].
    fn into_endpoint_error(self) -> EndpointError;
}

impl IntoEndpointError for EndpointError {
    fn into_endpoint_error(self) -> EndpointError {
        self
    }
}

impl IntoEndpointError for Infallible {
    fn into_endpoint_error(self) -> EndpointError {
        match self {}
    }
}
