"""The command line of `python3 deploy/stack`: words in, one sentence or one JSON object out."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stack import certificates
from stack.checkout import Checkout, environment_lines
from stack.errors import StackError, UsageError
from stack.model import Part, State, overall
from stack.operations import Stack
from stack.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = [part.value for part in Part]
Arguments = argparse.Namespace


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python3 deploy/stack",
        description="TimescaleDB and an MQTT broker for this checkout, on loopback only.",
        epilog="Exit codes: 0 done or running, 1 it failed or does not run, 2 wrong usage.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--json", action="store_true", help="one JSON object on standard output")
        return added

    up = command("up", "bring up database and broker; at once where they run")
    up.add_argument("--provider", metavar="NAME", help="configured, compose, local or debian")
    command("status", "what was chosen and whether it runs")
    stop = command("stop", "stop what runs, keep the data")
    stop.add_argument("part", nargs="?", choices=PARTS, help="only this part; else both")
    stop.add_argument("--delete-data", action="store_true", help="also remove this checkout's data")
    command("env", "the addresses as NAME=value lines, with their passwords")
    for name, help_text in (
        ("start", "start one part where it has its data"),
        ("restart", "stop and start one part"),
        ("kill", "end one part as a power cut would"),
    ):
        command(name, help_text).add_argument("part", choices=PARTS)
    device = command("device", "log-ins of devices at the broker")
    device.add_argument("action", choices=["add"])
    device.add_argument("name", metavar="NAME", help="the device's code, as in its topics")
    made = command("certificate", "a certificate to log in with by TLS, or the broker's own")
    made.add_argument("name", metavar="NAME", nargs="*", help="devices, platforms or services")
    made.add_argument(
        "--broker", metavar="HOST", action="append", default=[], help="a name of the broker's"
    )
    made.add_argument("--out", metavar="DIR", type=Path, help="else .hearthline/certificates")
    made.add_argument("--days", type=int, default=certificates.DAYS, help="how long it is valid")
    return top


def main(argv: Sequence[str] | None = None, checkout: Path = CHECKOUT) -> int:
    """Run one command; gives the exit code."""
    arguments = parser().parse_args(argv)
    progress = Progress()
    try:
        stack = Stack(Checkout(checkout), os.environ, progress)
        return COMMANDS[arguments.command](stack, arguments)
    except StackError as error:
        print(error.report(), file=sys.stderr)
        return error.exit_code
    except (OSError, subprocess.SubprocessError) as error:
        print(f"The development stack failed: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; run the command again to go on.", file=sys.stderr)
        return 130


def up(stack: Stack, arguments: Arguments) -> int:
    """`up`."""
    stack.up(arguments.provider)
    return answer(stack, arguments, dict.fromkeys(Part, State.RUNNING))


def status(stack: Stack, arguments: Arguments) -> int:
    """`status`."""
    return answer(stack, arguments, stack.states())


def stop(stack: Stack, arguments: Arguments) -> int:
    """`stop`, of one part or of everything."""
    if arguments.part and arguments.delete_data:
        raise UsageError("--delete-data removes the data of both parts: leave the part out.")
    if arguments.part:
        stack.down(Part(arguments.part))
        return part_told(arguments, State.STOPPED)
    stack.stop(delete_data=arguments.delete_data)
    told = "stopped, its data removed" if arguments.delete_data else "stopped, its data kept"
    return tell(arguments, {"state": State.STOPPED.value}, f"The development stack is {told}.")


def env(stack: Stack, arguments: Arguments) -> int:
    """`env`."""
    lines = environment_lines(stack.checkout.chosen())
    if not lines:
        raise StackError(NOTHING_YET, "Run `python3 deploy/stack up` first.")
    return tell(arguments, dict(line.split("=", 1) for line in lines.splitlines()), lines.rstrip())


def start(stack: Stack, arguments: Arguments) -> int:
    """`start PART`."""
    stack.start(Part(arguments.part))
    return part_told(arguments, State.RUNNING)


def restart(stack: Stack, arguments: Arguments) -> int:
    """`restart PART`."""
    stack.down(Part(arguments.part))
    return start(stack, arguments)


def kill(stack: Stack, arguments: Arguments) -> int:
    """`kill PART`."""
    stack.kill(Part(arguments.part))
    return part_told(arguments, State.STOPPED)


def device(stack: Stack, arguments: Arguments) -> int:
    """`device add NAME`."""
    password = stack.add_device(arguments.name)
    told = {"device": arguments.name, "user": arguments.name, "password": password}
    return tell(
        arguments,
        told,
        f"Device {arguments.name} may log in with the password {password}\n"
        f"and publish under its own name. The password is shown once.",
    )


def certificate(stack: Stack, arguments: Arguments) -> int:
    """`certificate NAME… [--broker HOST…]`."""
    if not arguments.name and not arguments.broker:
        raise UsageError("Name a device, or the broker's host with --broker.")
    authority = certificates.Authority(arguments.out or stack.checkout.folder / "certificates")
    made = [authority.for_client(name, arguments.days) for name in arguments.name]
    if arguments.broker:
        made.append(authority.for_broker(arguments.broker, arguments.days))
    files = [{"certificate": str(one), "key": str(key)} for one, key in made]
    lines = [f"{one['certificate']} and {one['key']}" for one in files]
    told = {"ca": str(authority.certificate), "made": files}
    return tell(arguments, told, "\n".join([*lines, f"signed by {authority.certificate}"]))


NOTHING_YET = "No development stack has been brought up in this checkout."
COMMANDS: dict[str, Callable[[Stack, Arguments], int]] = {
    "up": up,
    "status": status,
    "stop": stop,
    "env": env,
    "start": start,
    "restart": restart,
    "kill": kill,
    "device": device,
    "certificate": certificate,
}


def tell(arguments: Arguments, as_json: dict[str, Any], as_text: str) -> int:
    """Print the answer in the form that was asked for."""
    print(json.dumps(as_json) if arguments.json else as_text)
    return 0


def part_told(arguments: Arguments, state: State) -> int:
    """Tell the state of one part."""
    return tell(
        arguments,
        {"part": arguments.part, "state": state.value},
        f"The {arguments.part} is {state.value}.",
    )


def answer(stack: Stack, arguments: Arguments, states: dict[Part, State]) -> int:
    """Tell what was chosen and how it is doing; exit code 1 where a part does not run."""
    chosen, whole = stack.checkout.chosen(), overall(list(states.values()))
    if arguments.json:
        print(json.dumps(as_json(stack, states)))
    elif not chosen:
        print(NOTHING_YET)
    else:
        for part, one in chosen.items():
            told = f"{one.endpoint.version}, 127.0.0.1:{one.endpoint.port}, by {one.why}"
            print(f"{part.value:<9} {states[part].value}: {told}")
        print(f"Addresses with passwords: {stack.checkout.folder / 'stack.env'}")
    return 0 if whole is State.RUNNING else 1


def as_json(stack: Stack, states: dict[Part, State]) -> dict[str, Any]:
    """The one object that `up --json` and `status --json` print."""
    chosen = stack.checkout.chosen()
    urls = {part: one.endpoint.url for part, one in chosen.items()}
    broker = chosen.get(Part.BROKER)
    told: dict[str, Any] = {
        "state": overall(list(states.values())).value,
        "database_url": urls.get(Part.DATABASE),
        "mqtt_url": urls.get(Part.BROKER),
        "simulator_mqtt_url": (broker.endpoint.simulator_url or urls[Part.BROKER])
        if broker
        else None,
        "instance": stack.checkout.instance,
        "took_s": round(stack.progress.elapsed_s, 2),
    }
    for part, one in chosen.items():
        told[part.value] = {
            "state": states[part].value,
            "provider": one.provider,
            "why": one.why,
            "version": one.endpoint.version,
            "port": one.endpoint.port,
        }
    return told
