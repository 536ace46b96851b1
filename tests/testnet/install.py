"""Installs the parts of the test network, once for every state of its lock files.

All parts are in a cache outside the repository. An entry is created under a temporary name and renamed when it is
complete, so an existing entry is always complete. A lock prevents two runs from creating the same entry.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from process import Command, Failed, run

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SPEC_PYTHON = "3.11"
OLDEST_NODE = 20
OLDEST_GO = (1, 25)
INSTALL_SECONDS = 1800.0
# An ethrex build takes five minutes on one core; the machine may be busy.
BUILD_SECONDS = 5400.0
# Outside the entries, so that an interrupted build continues where it stopped, and for all builds. 2 GB, which no binary needs.
GO_BUILD = "go.build"
GETH = "github.com/ethereum/go-ethereum/cmd/geth"
OP_NODE = {program: f"github.com/ethereum-optimism/optimism/{program}/cmd" for program in ("op-node", "op-batcher")}
DEBIAN_PACKAGES = ("gcc", "libc6-dev", "libssl-dev", "pkg-config")


class CannotRunHere(Exception):
    """The machine lacks something that only its owner can install."""


@dataclass(frozen=True)
class Installed:
    """The paths of the test network's parts."""

    ethrex: Path
    ethereumjs: Path
    bare: Path
    # None if it does not run on this machine.
    hardhat: Path | None
    # None if Go is missing or too old.
    geth: Path | None
    # The same.
    op_geth: Path | None
    python: Path
    # The folder of op-node and op-batcher. None if they were not asked for.
    op_node: Path | None


def install(logs: Path, *, with_op_node: bool = False) -> Installed:
    """Creates the missing entries. Returns the paths of all. op-node and op-batcher are built only where they are asked for."""
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / "lock"):
        installed = Installed(
            ethrex=_ethrex(root, logs) / "saldo-testnet-execution",
            ethereumjs=_packages(root, logs, "ethereumjs", HERE),
            bare=_packages(root, logs, "bare", HERE / "bare"),
            hardhat=_hardhat(root, logs),
            geth=_geth(root, logs, "geth"),
            op_geth=_geth(root, logs, "op-geth"),
            python=_consensus(root, logs) / "venv/bin/python",
            op_node=_op_node(root, logs) if with_op_node else None,
        )
        shutil.rmtree(root / GO_BUILD, ignore_errors=True)
        return installed


@dataclass(frozen=True)
class DevelopmentNodes:
    """The paths of the nodes without a beacon chain."""

    bare: Path
    # None if it does not run on this machine.
    hardhat: Path | None
    # None if Go is missing or too old.
    geth: Path | None


def development_nodes(logs: Path) -> DevelopmentNodes:
    """Creates only the entries of these nodes."""
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / "lock"):
        bare = _packages(root, logs, "bare", HERE / "bare")
        nodes = DevelopmentNodes(bare, _hardhat(root, logs), _geth(root, logs, "geth"))
        shutil.rmtree(root / GO_BUILD, ignore_errors=True)
        return nodes


def cache() -> Path:
    """The folder of all entries."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SALDO_TESTNET_CACHE") or Path(base) / "saldo-testnet").absolute()


def saldo(logs: Path) -> Path:
    """The `saldo` binary: the one that `SALDO_BIN` names, else built from this repository."""
    if given := os.environ.get("SALDO_BIN"):
        return Path(given).absolute()
    _demand_tools("cargo", "cc")
    _say("building saldo")
    # Cargo prints the path of the binary, which depends on its configuration and on the environment.
    messages = logs / "build-saldo.json"
    build = "cargo build --release -p saldo-cli --bin saldo --message-format=json-render-diagnostics"
    command: Command = ["nice", "sh", "-c", f'{build} > "$0"', messages]
    run("building saldo", command, logs / "build-saldo.log", BUILD_SECONDS, REPOSITORY)
    for message in map(json.loads, messages.read_text().splitlines()):
        if message.get("target", {}).get("name") == "saldo" and message.get("executable"):
            return Path(message["executable"])
    raise Failed("cargo built no binary named saldo")


def _ethrex(root: Path, logs: Path) -> Path:
    source = HERE / "execution"

    def make(entry: Path) -> None:
        _demand_tools("cargo")
        _demand_openssl(logs)
        _say("building ethrex (about five minutes of one core, once)")
        # Outside the entry, so that an interrupted build continues where it stopped.
        target = root / "ethrex.target"
        command: Command = ["nice", "cargo", "build", "--locked", "--target-dir", target]
        run("building ethrex", command, logs / "build-ethrex.log", BUILD_SECONDS, source)
        binary = "saldo-testnet-execution"
        shutil.copy2(target / "debug" / binary, entry / binary)
        shutil.rmtree(target)

    inputs = [source / name for name in ("Cargo.lock", "Cargo.toml", "src/main.rs")]
    return _entry(root, "ethrex", inputs, make)


def _geth(root: Path, logs: Path, name: str) -> Path | None:
    """geth, or op-geth, which is a version of it for rollups with the same name of its package."""
    if _has_go():
        return _go_programs(root, logs, name, {name: GETH}, minutes="four") / name
    _say(f"{name} is left out: it needs {_needed_go()}")
    return None


def _op_node(root: Path, logs: Path) -> Path:
    """op-node and op-batcher, which are of one module."""
    if not _has_go():
        raise CannotRunHere(f"op-node needs {_needed_go()}")
    return _go_programs(root, logs, "op-node", OP_NODE, minutes="six")


def _go_programs(root: Path, logs: Path, name: str, packages: dict[str, str], minutes: str) -> Path:
    """The folder of the programs that are built from these packages, in the versions of the folder `name`."""
    source = HERE / name
    inputs = [source / file for file in ("go.mod", "go.sum")]

    def make(entry: Path) -> None:
        _say(f"building {' and '.join(packages)} (about {minutes} minutes of one core, once)")
        scratch = root / GO_BUILD
        settings = {
            # go.mod and go.sum decide every version, also that of Go.
            "GOFLAGS": "-mod=readonly -modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off",
            "GOMODCACHE": str(scratch / "modules"), "GOCACHE": str(scratch / "cache"), "CGO_ENABLED": "0",
        }
        words = [f"{setting}={value}" for setting, value in settings.items()]
        for program, package in packages.items():
            build: Command = ["go", "build", "-p", "1", "-trimpath", "-ldflags", "-s -w", "-o", entry / program, package]
            command: Command = ["nice", "env", *words, *build]
            run(f"building {program}", command, logs / f"build-{program}.log", BUILD_SECONDS, source)

    return _entry(root, name, inputs, make)


def _needed_go() -> str:
    return f"Go {'.'.join(map(str, OLDEST_GO))} or later, and this machine has none"


def _has_go() -> bool:
    """Whether a Go is installed that is new enough."""
    if shutil.which("go") is None:
        return False
    # For example `go1.26.8`.
    version = _output("go", "env", "GOVERSION").removeprefix("go").split(".")
    numbers = tuple(int(number) for number in version[:2] if number.isdigit())
    return numbers >= OLDEST_GO


def _hardhat(root: Path, logs: Path) -> Path | None:
    # Its native part, and the newer Node.js that it needs, are available for one kind of machine.
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    return _packages(root, logs, "hardhat", HERE / "hardhat", "hardhat.config.js")


def _packages(root: Path, logs: Path, name: str, source: Path, *further: str) -> Path:
    """The packages of a lock file, with further files next to them."""
    inputs = [source / file for file in ("package-lock.json", "package.json", *further)]
    settings = HERE / ".npmrc"
    _demand_node()

    def make(entry: Path) -> None:
        _demand_tools("npm")
        _say(f"installing the packages of {name}")
        for file in [*inputs, settings]:
            shutil.copy(file, entry)
        # No package in the lock files needs its install script: native parts are prebuilt.
        command = ["npm", "ci", "--ignore-scripts"]
        run(f"installing {name}", command, logs / f"install-{name}.log", INSTALL_SECONDS, entry)

    return _entry(root, name, [*inputs, settings], make)


def _consensus(root: Path, logs: Path) -> Path:
    requirements = HERE / "requirements.txt"

    def make(entry: Path) -> None:
        python = _spec_python()
        _say("installing the consensus spec")
        log = logs / "install-consensus.log"
        venv = entry / "venv"
        run("making a virtual environment", [python, "-m", "venv", venv], log, INSTALL_SECONDS)
        pip: Command = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "install"]
        command: Command = [*pip, "--require-hashes", "--requirement", requirements]
        run("installing the consensus spec", command, log, INSTALL_SECONDS)

    return _entry(root, "consensus", [requirements], make)


def _entry(root: Path, name: str, inputs: Sequence[Path], make: Callable[[Path], None]) -> Path:
    """The entry for the contents of some files, created if it is missing."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}".encode())
    for file in inputs:
        digest.update(file.read_bytes())
    entry = root / f"{name}-{digest.hexdigest()[:16]}"
    if not entry.exists():
        for left_over in root.glob(f"{entry.name}.partial-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # A new name each time: an installer of a killed run may still be working.
        partial = Path(tempfile.mkdtemp(prefix=f"{entry.name}.partial-", dir=root))
        make(partial)
        partial.rename(entry)
    return entry


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    deadline = time.monotonic() + BUILD_SECONDS
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another run to finish installing")
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise Failed(f"another run holds {path}") from None
                time.sleep(0.5)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _demand_tools(*names: str) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise CannotRunHere(f"not installed: {', '.join(missing)}")


def _demand_openssl(logs: Path) -> None:
    """Installs what ethrex needs: it always links OpenSSL, and a part of it is written in C."""
    if _can_link_openssl():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _say(f"installing {' '.join(DEBIAN_PACKAGES)}")
        log = logs / "install-packages.log"
        run("apt-get update", ["apt-get", "update"], log, INSTALL_SECONDS)
        command = ["apt-get", "install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES]
        run("apt-get install", command, log, INSTALL_SECONDS)
    if not _can_link_openssl():
        packages = " ".join(DEBIAN_PACKAGES)
        raise CannotRunHere(f"ethrex needs a C compiler and OpenSSL's headers (on Debian: {packages})")


def _can_link_openssl() -> bool:
    if shutil.which("cc") is None or shutil.which("pkg-config") is None:
        return False
    return subprocess.run(["pkg-config", "--exists", "openssl"], check=False).returncode == 0


def _demand_node() -> None:
    _demand_tools("node")
    version = _output("node", "--version")
    major = version.removeprefix("v").split(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        raise CannotRunHere(f"node {OLDEST_NODE} or newer is needed, not {version or 'a broken one'}")


def _spec_python() -> str:
    """A Python of the one version that the pinned spec package is made for."""
    for name in (sys.executable, f"python{SPEC_PYTHON}", "python3"):
        program = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        if shutil.which(name) and _output(name, "-c", program) == SPEC_PYTHON:
            return name
    raise CannotRunHere(f"the consensus spec needs Python {SPEC_PYTHON} with its venv module")


def _output(*command: str) -> str:
    """What a command prints, or nothing if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
