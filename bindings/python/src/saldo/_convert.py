"""Converts between the records of the native library and those of this package."""

from __future__ import annotations

import dataclasses
from typing import Any

from . import change, claim, config, health, reading, token, total
from ._load import native

_UNWRAPPED: dict[type, str] = {
    # The class of the reading says what the variant says.
    native.Reading.PROVEN: "proven",
    native.Reading.PROVISIONAL: "provisional",
    native.Reading.UNKNOWN: "unknown",
}

RECORDS: dict[type, type] = {
    **{
        getattr(native, given.__name__): given
        for given in (
            config.Checkpoint,
            config.ClientConfig,
            config.Endpoint,
            config.Holding,
            config.NetworkConfig,
            config.Policy,
            reading.AccountReading,
            reading.Assurance,
            reading.Attempt,
            reading.Block,
            reading.Freshness,
            reading.HeldReading,
            reading.Now,
            reading.Origin,
            reading.Proven,
            reading.Provisional,
            reading.Quorum,
            reading.Sample,
            reading.Unknown,
            reading.Vouched,
            reading.Why,
            change.Activity,
            claim.Claim,
            health.CoFailure,
            health.ConsensusFault,
            health.Diversity,
            health.EndpointHealth,
            health.Evidence,
            health.HeadsHealth,
            health.Health,
            health.RollupHealth,
            health.StorageFault,
            token.ListedToken,
            token.ProvenToken,
            token.TokenGuard,
            token.TokenImplementation,
            token.TokenInfo,
            token.TokenLayout,
            token.TokenList,
            token.TokenReading,
            token.TokenSymbol,
            total.Total,
        )
    },
    native.Unconfirmed.CLAIMED: reading.Claimed,
    native.Unconfirmed.NOT_SHOWN: reading.NotShown,
    native.Derivation.SLOT: reading.SlotDerivation,
    native.Derivation.EXECUTED: reading.ExecutedDerivation,
    native.Derivation.OTHER: reading.OtherDerivation,
    native.Verdict.CONFIRMED: claim.Confirmed,
    native.Verdict.DIFFERENT: claim.Different,
    native.Verdict.CHANGED: claim.Changed,
    native.Verdict.NOT_CHECKED: claim.NotChecked,
    native.Change.REMEMBERED: change.Remembered,
    native.Change.READING: change.NewReading,
    native.Change.WITHDRAWN: change.Withdrawn,
    native.Change.STORAGE: change.StorageChanged,
    native.Change.ACTIVITY: change.ActivityChanged,
    native.Change.OTHER: change.OtherChange,
    native.Sum.PROVEN: total.ProvenSum,
    native.Sum.REMEMBERED: total.RememberedSum,
    native.Sum.PARTIAL: total.IncompleteSum,
    native.Sum.TOO_LARGE: total.SumTooLarge,
    native.Sum.OTHER: total.OtherSum,
    native.PartialSum.OF: total.SumOf,
    native.PartialSum.NO_HOLDING: total.NoHolding,
}
"""The class of this package for each class of the library."""

_NATIVE: dict[type, type] = {given: of for of, given in RECORDS.items()}

_FIELDS: dict[type, tuple[str, ...]] = {
    given: tuple(field.name for field in dataclasses.fields(given)) for given in RECORDS.values()
}


def lift(value: Any) -> Any:
    """Returns what the library returned, as records of this package."""
    kind = type(value)
    if kind in (str, int, bool, bytes, type(None)):
        return value
    if kind is list:
        return tuple(lift(item) for item in value)
    if (inner := _UNWRAPPED.get(kind)) is not None:
        return lift(getattr(value, inner))
    given = RECORDS[kind]
    return given(**{name: lift(getattr(value, name)) for name in _FIELDS[given]})


def lower(value: Any) -> Any:
    """Returns a record of this package as the library takes it."""
    kind = type(value)
    if isinstance(value, (list, tuple)):
        return [lower(item) for item in value]
    if isinstance(value, config.Pace):
        return native.Pace[value.name]
    of = _NATIVE.get(kind)
    if of is None:
        return value
    return of(**{name: lower(getattr(value, name)) for name in _FIELDS[kind]})


def setup_error(error: Any) -> config.SetupError:
    """Returns the library's error about a setting as that of this package."""
    return config.SetupError(error.code, error.text)
