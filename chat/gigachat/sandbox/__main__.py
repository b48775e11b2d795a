"""`python -m chat.gigachat.sandbox`: one instance on its own, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from chat.gigachat.sandbox.certificates import write_private
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.server import Sandbox
from chat.gigachat.sandbox.settings import Account, Contour, HostProfile, SandboxSettings, ServerCertificate

_PARENT_CHECK_SECONDS = 0.5


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chat.gigachat.sandbox", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(".run/sandbox"), help="CA, credentials, ready.json")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--oauth-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--api-port", type=int, default=0, help="0: any free port")
    for name, choices in (
        ("host-profile", list(HostProfile)),
        ("account", list(Account)),
        ("contour", list(Contour)),
        ("certificate", list(ServerCertificate)),
    ):
        parser.add_argument(f"--{name}", choices=[choice.value for choice in choices], default=choices[0].value)
    parser.add_argument("--credentials", default="", help="base64 of id:secret; default: a random pair that is kept")
    parser.add_argument("--latency-ms", type=float, default=250.0, help="before the first byte of a completion")
    parser.add_argument("--chunk-delay-ms", type=float, default=60.0, help="between chunks")
    parser.add_argument("--streams", type=int, default=None, help="parallel completions; default 1 (pers) or 10")
    parser.add_argument("--token-lifetime-seconds", type=float, default=1800.0)
    parser.add_argument("--no-faults", action="store_true", help="no fault header and no admin routes for faults")
    parser.add_argument("--bench", action="store_true", help="serve bench:<tokens>:<interval_ms>[:<batch>]")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process is gone")
    return parser


def build_settings(options: argparse.Namespace) -> SandboxSettings:
    return SandboxSettings(
        state_dir=options.state_dir,
        host=options.host,
        oauth_port=options.oauth_port,
        api_port=options.api_port,
        host_profile=HostProfile(options.host_profile),
        account=Account(options.account),
        contour=Contour(options.contour),
        certificate=ServerCertificate(options.certificate),
        credentials=options.credentials,
        latency_ms=options.latency_ms,
        chunk_delay_ms=options.chunk_delay_ms,
        streams=options.streams,
        token_lifetime_seconds=options.token_lifetime_seconds,
        has_fault_switches=not options.no_faults,
        is_bench=options.bench,
    )


def write_ready_file(sandbox: Sandbox) -> Path:
    """Tell, readable by the owner only, where the instance is and how to reach it."""
    state_dir = sandbox.settings.state_dir
    credentials_file = state_dir / "credentials"
    write_private(credentials_file, sandbox.credentials.encode())
    ready = {
        "base_url": sandbox.base_url,
        "auth_url": sandbox.auth_url,
        "admin_url": sandbox.admin_url,
        "ca_file": str(sandbox.ca_file.resolve()),
        "ca_sha256": sandbox.ca_sha256,
        "credentials": sandbox.credentials,
        "credentials_file": str(credentials_file.resolve()),
        "scope": sandbox.settings.scope,
        "model": next(model.name for model in sandbox.state.catalogue.list_models()),
        "pid": os.getpid(),
    }
    if sandbox.settings.contour is Contour.B2BANK:
        chain_file, key_file = sandbox.authority.write_client_certificate(state_dir)
        ready |= {"client_certificate_file": str(chain_file.resolve()), "client_key_file": str(key_file.resolve())}
    path = state_dir / "ready.json"
    write_private(path, encode_json(ready))
    return path


async def serve(settings: SandboxSettings, announce: Callable[[str], None], *, exits_with_parent: bool) -> None:
    """Run until a signal, or until the parent process is gone; `announce` gets one line when all is ready.

    Raises: OSError when a port is taken
    """
    stopping = asyncio.Event()
    parent_pid = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with Sandbox(settings) as sandbox:
        ready_file = write_ready_file(sandbox)
        announce(f"GigaChat sandbox ready: {sandbox.base_url} {sandbox.auth_url} {ready_file}")
        try:
            await wait_for_end(stopping, parent_pid if exits_with_parent else None)
        finally:
            ready_file.unlink(missing_ok=True)


async def wait_for_end(stopping: asyncio.Event, parent_pid: int | None) -> None:
    """Return when told to stop or when `parent_pid` is no longer the parent."""
    if parent_pid is None:
        await stopping.wait()
        return
    while os.getppid() == parent_pid:
        try:
            await asyncio.wait_for(stopping.wait(), _PARENT_CHECK_SECONDS)
        except TimeoutError:
            continue
        return


def announce_ready(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    options = build_parser().parse_args(arguments)
    try:
        uvloop.run(serve(build_settings(options), announce_ready, exits_with_parent=options.exit_with_parent))
    except OSError as error:
        sys.stderr.write(f"error: the sandbox cannot start: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
