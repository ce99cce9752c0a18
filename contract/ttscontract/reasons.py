"""Every reason: of conditions, of events and of termination messages. Each row says what it means and what to do.

The operator derives from these rows what a condition's severity is, the worker and the download Job name their failures
with them, and docs/status-conditions.md is generated from them. A new reason is one new row.
"""

from ttscontract.pods import USER_ID
from ttscontract.reason import Program, ReasonRow, Severity


class Reason(ReasonRow):
    """A reason by its name in the API: one row each."""

    READY = "RolledOut", Severity.GOOD, "The current spec is rolled out and workers answer."
    BUILT_IN = "BuiltIn", Severity.GOOD, "The model is part of the worker image; nothing is downloaded."
    PUBLISHED = "Published", Severity.GOOD, "The model is on the volume and verified.", "", Program.DOWNLOAD
    WORKERS_AVAILABLE = "WorkersAvailable", Severity.GOOD, "At least one worker answers."
    SCALED_TO_ZERO = (
        "ScaledToZero",
        Severity.GOOD,
        "The spec asks for no workers. Of AutoscalingActive: somebody scaled the Deployment to zero by hand.",
        "`kubectl scale deployment NAME --replicas=1` switches the autoscaler on again.",
    )
    SCALING = "ScalingActive", Severity.GOOD, "The autoscaler reads its metrics and changes the number of workers."
    NOTHING_TO_DO = (
        "NothingToDo",
        Severity.GOOD,
        "Of Reconciling and Stalled when False: there is nothing to do, or only a person can act.",
    )
    PROGRESSING = "Progressing", Severity.GOOD, "Of Stalled when it is False: nobody needs to act; Reconciling is True."

    ALREADY_PRESENT = (
        "AlreadyPresent",
        Severity.UNSEEN,
        "The download Job found the complete model on the volume and downloaded nothing.",
        "",
        Program.DOWNLOAD,
    )
    INTERNAL_ERROR = (
        "InternalError",
        Severity.UNSEEN,
        "The download program has a defect. The condition says DownloadFailed.",
        "Report the defect, with the details from the Job's log.",
        Program.DOWNLOAD,
    )

    PENDING = "Pending", Severity.PROGRESSING, "The operator writes the children next.", "Read the operator's log."
    DOWNLOADING = "Downloading", Severity.PROGRESSING, "The download runs.", "`.status.model` has bytes and speed."
    DOWNLOAD_FAILED = (
        "DownloadFailed",
        Severity.PROGRESSING,
        "The download failed for a reason other than the model, such as an eviction. The operator repeats it.",
        "Nothing: the operator tries again after 10 s, 20 s and so on up to five minutes.",
    )
    INTERRUPTED = (
        "Interrupted",
        Severity.PROGRESSING,
        "Something stopped the download, such as a node drain. The next attempt continues it.",
        "",
        Program.DOWNLOAD,
    )
    SOURCE_UNREACHABLE = (
        "SourceUnreachable",
        Severity.PROGRESSING,
        "The Job cannot reach the source, or the source answers 429 or 5xx, or sends almost nothing. It is repeated.",
        "Check the address, DNS, the network policies and the proxy (HTTPS_PROXY in `spec.podTemplate.env`).",
        Program.DOWNLOAD,
    )
    WAITING_FOR_DELETION = (
        "WaitingForDeletion",
        Severity.PROGRESSING,
        "Children of a deleted TTSService of the same name still exist.",
        "`kubectl get` them and look at their finalizers.",
    )
    WAITING_FOR_MODEL = "WaitingForModel", Severity.PROGRESSING, "Of WorkloadAvailable: workers need the model first."
    WAITING_FOR_VOLUME = (
        "WaitingForVolume",
        Severity.PATIENT,
        "The model's volume does not exist; the message says what is missing: a StorageClass, the claim.",
        "Create what the message names, or fix the provisioner whose error it quotes.",
    )
    WAITING_FOR_GPU = (
        "WaitingForGPU",
        Severity.PATIENT,
        "No node has a free GPU for the pod.",
        "Add one, free one, or lower `spec.gpu.count` or the number of workers.",
    )
    UNSCHEDULABLE = (
        "Unschedulable",
        Severity.PATIENT,
        "No node accepts the pod, because of CPU, memory, taints or affinity.",
        "Read the message, which is the scheduler's.",
    )
    IMAGE_PULL = (
        "ImagePull",
        Severity.PROGRESSING,
        "The image cannot be pulled.",
        "Check its name, the node's connection to the registry, and `spec.image.pullSecrets`.",
    )
    CONTAINER_CONFIG = (
        "ContainerConfig",
        Severity.PROGRESSING,
        "The container cannot start, usually because a Secret or ConfigMap is missing.",
        "Create what `spec.podTemplate.env` names, or correct the name.",
    )
    WORKER_STARTING = "WorkerStarting", Severity.PROGRESSING, "A worker loads its model and warms up."
    WORKER_CRASHING = (
        "WorkerCrashing",
        Severity.PROGRESSING,
        "A worker keeps crashing and reports no reason.",
        "Read its log: `kubectl logs -l tts-operator.io/service=NAME --previous`.",
    )
    ROLLING_OUT = "RollingOut", Severity.PROGRESSING, "Workers of the current spec replace those of the previous one."
    METRICS_UNAVAILABLE = (
        "MetricsUnavailable",
        Severity.PROGRESSING,
        "Of AutoscalingActive: the autoscaler cannot read a metric; the message is the autoscaler's.",
        "Check the APIService `v1beta2.custom.metrics.k8s.io`, and that the operator reaches the workers' metrics.",
    )
    SCALING_UNABLE = (
        "ScalingUnable",
        Severity.PROGRESSING,
        "Of AutoscalingActive: the autoscaler cannot scale the Deployment; the message is the autoscaler's.",
        "Do what the message says.",
    )
    API_NOT_INSTALLED = (
        "ApiNotInstalled",
        Severity.PROGRESSING,
        "Of AddOnsInstalled: the operator leaves out a child, because the child's API is missing or unusable.",
        "Install the add-on: the child follows within a minute. Or remove the field that needs the child.",
    )

    INVALID_SPEC = (
        "InvalidSpec",
        Severity.STALLED,
        "The operator cannot act on the spec. Existing workers continue to run.",
        "Correct the field that the message names.",
    )
    NAME_CONFLICT = (
        "NameConflict",
        Severity.STALLED,
        "An object with the name of a child exists, and it has another controller or lacks the operator's labels.",
        "Remove it, or give the TTSService another name.",
    )
    CHILD_REFUSED = (
        "ChildRefused",
        Severity.STALLED,
        "The API server refused a child because of a value, a policy or a quota. The message is the API server's.",
        "Correct the value, or change the policy or the quota.",
    )
    SOURCE_NOT_FOUND = (
        "SourceNotFound",
        Severity.STALLED,
        "Nothing is at `spec.model.source` (404 or 410). The operator tries again with growing waits.",
        "Correct `spec.model.source`.",
        Program.DOWNLOAD,
    )
    SOURCE_FORBIDDEN = (
        "SourceForbidden",
        Severity.STALLED,
        "The source refuses access to the model (401, 402, 403, 407 or 451).",
        "Use an address that can be read without a login.",
        Program.DOWNLOAD,
    )
    SOURCE_INVALID = (
        "SourceInvalid",
        Severity.STALLED,
        "The source is unusable: a malformed address, an untrusted certificate, a web page; the message says why.",
        "Correct `spec.model.source`, or set `spec.model.sha256` where the message asks for it.",
        Program.DOWNLOAD,
    )
    CHECKSUM_MISMATCH = (
        "ChecksumMismatch",
        Severity.STALLED,
        "The content does not match `spec.model.sha256`. The Job deleted it, and no worker serves it.",
        "Check that this is the right file, then set `spec.model.sha256` to the value in the message.",
        Program.DOWNLOAD,
    )
    ARCHIVE_INVALID = (
        "ArchiveInvalid",
        Severity.STALLED,
        "The archive is damaged, encrypted, too large (more than 10,000 entries) or unsafe; the message says which.",
        "Pack it again: `tar -czf voice.tar.gz -C folder .`",
        Program.DOWNLOAD,
    )
    DISK_FULL = (
        "DiskFull",
        Severity.STALLED,
        "The volume is full, or the model is larger than `spec.storage.size`. The Job keeps what it downloaded.",
        "Raise `spec.storage.size` (where the StorageClass allows expansion), or use a larger claim.",
        Program.DOWNLOAD,
    )
    STORAGE_UNUSABLE = (
        "StorageUnusable",
        Severity.STALLED,
        "The Job cannot write to the volume or lock it; the message has the system's error.",
        f"Make it writable for user {USER_ID} (`fsGroup` does that for most volumes), and do not mount it read-only.",
        Program.DOWNLOAD,
    )
    MODEL_MISSING = (
        "ModelMissing",
        Severity.STALLED,
        "The model is not on the volume, or no longer. Or the image was not built with the `builtin://` model.",
        "Delete the Job that `kubectl get jobs -l tts-operator.io/service=NAME` lists. Or correct `spec.image`.",
        Program.WORKER,
    )
    MODEL_CORRUPT = (
        "ModelCorrupt",
        Severity.STALLED,
        "A file of the model differs from the published one.",
        "Delete the download Job, as for ModelMissing.",
        Program.WORKER,
    )
    MODEL_INVALID = (
        "ModelInvalid",
        Severity.STALLED,
        "The engine cannot load the model.",
        "Check that it is a model of `spec.engine`.",
        Program.WORKER,
    )
    CONFIG_INVALID = (
        "ConfigInvalid",
        Severity.STALLED,
        "The worker refuses its configuration.",
        "Use an image of the operator's release, and check the variables in `spec.podTemplate.env`.",
        Program.WORKER,
    )
    ENGINE_UNAVAILABLE = (
        "EngineUnavailable",
        Severity.STALLED,
        "The worker image does not contain `spec.engine`, or the engine cannot start in it.",
        "Choose another `spec.image`.",
        Program.WORKER,
    )
    GPU_UNAVAILABLE = (
        "GpuUnavailable",
        Severity.STALLED,
        "The worker has a GPU but cannot use it.",
        "Check the driver of the node and `spec.podTemplate.runtimeClassName`.",
        Program.WORKER,
    )
    OUT_OF_MEMORY = "OutOfMemory", Severity.STALLED, "A worker exceeded its memory limit.", "Raise `spec.resources`."
    IMAGE_INVALID = (
        "ImageInvalid",
        Severity.STALLED,
        "The image's name is malformed, or the image is not on the node and `pullPolicy: Never` forbids pulling it.",
        "Correct `spec.image`.",
    )
    PODS_REFUSED = (
        "PodsRefused",
        Severity.STALLED,
        "The cluster refuses pods: a quota, a policy such as Pod Security, a missing PriorityClass or RuntimeClass.",
        "Do what the message says.",
    )
    PROGRESS_DEADLINE_EXCEEDED = (
        "ProgressDeadlineExceeded",
        Severity.STALLED,
        "No worker of the current spec became ready within 15 minutes. Waiting for capacity never leads to this.",
        "Read the last cause in the message.",
    )

    @property
    def is_condition(self) -> bool:
        """Whether a condition may have this reason."""
        return self.severity is not Severity.UNSEEN
