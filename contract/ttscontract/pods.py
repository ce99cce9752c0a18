"""What a pod's manifest and the program inside it must agree on: ports, paths, variables, the user."""

from typing import Final, NotRequired, TypedDict

USER_ID: Final = 65532
"""User and group of the processes and of the volume's files; the images create it."""

HTTP_PORT: Final = 5002
"""The worker's API and probes."""
METRICS_PORT: Final = 9090
"""Prometheus metrics of the operator, of a worker, and of a download while it runs."""

HEALTH_PATH: Final = "/health"
"""Liveness: a failure asks for a restart."""
READY_PATH: Final = "/ready"
"""Startup and readiness: a failure asks for no more requests."""
METRICS_PATH: Final = "/metrics"

CONFIG_DIR: Final = "/etc/ttsworker"
"""Where the ConfigMap is mounted."""
CONFIG_FILE: Final = "worker.json"
"""Key of the ConfigMap, and so the file's name; worker_config.py has its content."""
VARIABLE_PREFIX: Final = "TTSWORKER_"
"""Of every variable that sets a setting of the worker."""
CONFIG_VARIABLE: Final = f"{VARIABLE_PREFIX}CONFIG"
"""The variable that names the configuration file."""

TERMINATION_LOG: Final = "/dev/termination-log"
"""The kubelet creates this file and puts what a program wrote into it into the pod's status."""
TERMINATION_BYTES: Final = 4096
"""The kubelet cuts a termination message there."""


class Termination(TypedDict):
    """What a program writes into the termination log, as one JSON object."""

    reason: str
    """A value of `reasons.Reason`."""
    message: NotRequired[str]
    """Of a failure: one line that says what to do."""
    digest: NotRequired[str]
    """Of a published model."""
    bytes: NotRequired[int]
    """Of a published model: the sum of its files' sizes."""
