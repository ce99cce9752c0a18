"""The commands: up, down, status, exec, load, kubeconfig, logs."""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from devcluster import forward, images, lifecycle, parts, status, supervisor
from devcluster.paths import State
from devcluster.terminal import Failure, say


def main() -> int:
    """Run the command the arguments name; the exit code is 1 for a failure with a reason."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except Failure as failure:
        say(str(failure))
        return 1
    except BrokenPipeError:  # the reader closed the pipe; Python would report that again at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devcluster", description="A real Kubernetes on a bare Linux machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start the cluster (builds it the first time); does nothing if it runs")
    up.add_argument("--gpus", type=_count, help="advertise this many nvidia.com/gpu on the node")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="stop the cluster; keep loaded images for the next start")
    down.add_argument("--purge", action="store_true", help="remove loaded images and logs too")
    down.set_defaults(run=_down)

    show = commands.add_parser("status", help="show what runs, and where its files are")
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(run=_status)

    execute = commands.add_parser(
        "exec", help="run a command inside the cluster, with the pods' network and KUBECONFIG"
    )
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD")
    execute.set_defaults(run=_exec)

    load = commands.add_parser("load", help="put images into the cluster")
    load.add_argument(
        "image", nargs="+", help="name in buildah's or docker's storage, or path of a docker or OCI archive"
    )
    load.set_defaults(run=_load)

    kubeconfig = commands.add_parser("kubeconfig", help="print the path of a kubeconfig that works inside and outside")
    kubeconfig.set_defaults(run=_kubeconfig)

    logs = commands.add_parser("logs", help="print the log of a part")
    logs.add_argument("part", choices=(*parts.NAMES, "supervisor"))
    logs.add_argument("-f", "--follow", action="store_true")
    logs.set_defaults(run=_logs)

    # Internal: `up` starts these.
    supervise = commands.add_parser("supervise")
    supervise.add_argument("--state", type=Path)
    supervise.add_argument("--programs", type=Path)
    for number in ("--port", "--listener", "--gpus"):
        supervise.add_argument(number, type=int)
    supervise.set_defaults(run=_supervise)
    forwarder = commands.add_parser("forward")
    for number in ("--port", "--listener"):
        forwarder.add_argument(number, type=int)
    forwarder.set_defaults(run=_forward)
    return parser


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError("must be a number, 0 or more")
    return int(text)


def _up(arguments: argparse.Namespace) -> int:
    state = State.of_environment()
    lifecycle.up(state, arguments.gpus)
    say(f"export KUBECONFIG={state.kubeconfig}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    lifecycle.down(State.of_environment(), purge=arguments.purge)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    state = State.of_environment()
    document = status.describe(state)
    print(status.as_json(document) if arguments.json else status.as_text(document))
    return 0 if document["ready"] else 1


def _exec(arguments: argparse.Namespace) -> int:
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise Failure("exec needs a command: `python3 hack/devcluster exec -- kubectl get nodes`")
    state = State.of_environment()
    return subprocess.run(lifecycle.inside_command(state, command), check=False).returncode


def _load(arguments: argparse.Namespace) -> int:
    state = State.of_environment()
    lifecycle.require_running(state)
    for image in arguments.image:
        images.load(state, image)
    return 0


def _kubeconfig(_: argparse.Namespace) -> int:
    state = State.of_environment()
    lifecycle.require_running(state)
    print(state.kubeconfig)
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    log = State.of_environment().log(arguments.part)
    if not log.exists():
        raise Failure(f"{arguments.part} has not logged anything yet")
    follow = ["-F"] if arguments.follow else []
    return subprocess.run(["tail", "-n", "+1", *follow, str(log)], check=False).returncode


def _supervise(arguments: argparse.Namespace) -> int:
    state = State(arguments.state)
    return supervisor.run(state, arguments.programs, arguments.port, arguments.listener, arguments.gpus)


def _forward(arguments: argparse.Namespace) -> int:
    forward.serve(socket.socket(fileno=arguments.listener), arguments.port)
    return 0
