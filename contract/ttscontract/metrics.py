"""The catalogue of metrics: one row for each metric that a program of ours exports.

A row is the only place that knows a metric's name. What is derived from it: the collectors, the fields of
`spec.autoscaling.targets`, the metrics of the HorizontalPodAutoscaler, the answers of custom.metrics.k8s.io, the RBAC
rule of the autoscaler, and docs/metrics.md.
"""

from typing import Final

from ttscontract.metric import Exporter, Metric, ScalingTarget, Scope, Type

_LATENCY: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)

# Requests
REQUESTS = Metric(
    "tts_requests_total",
    Type.COUNTER,
    "requests",
    "Speech requests answered, by model and HTTP status. Status 499: the client closed the connection; "
    "slow_client: the worker ended an answer that its client read too slowly; aborted: it ended an answer for another "
    "reason before it was complete.",
    labels=("model", "status"),
)
REJECTED = Metric(
    "tts_rejected_total",
    Type.COUNTER,
    "requests",
    "Requests refused before synthesis, by reason: queue_full, memory_full, starting, draining, rate_limit_exceeded, "
    "concurrency_limit_exceeded, invalid_api_key, too_many_wrong_keys or cross_site.",
    labels=("reason",),
)
WITH_IGNORED_FIELDS = Metric(
    "tts_requests_with_ignored_fields_total",
    Type.COUNTER,
    "requests",
    "Accepted speech requests with fields that had no effect; the log and the header X-TTS-Ignored name the fields.",
)
REQUEST_DURATION = Metric(
    "tts_request_duration_seconds",
    Type.HISTOGRAM,
    "seconds",
    "Time from a request to the end of its answer.",
    buckets=_LATENCY,
)
REQUEST_LATENCY = Metric(
    "tts_request_latency_seconds",
    Type.HISTOGRAM,
    "seconds",
    "The same as tts_request_duration_seconds, under a second name.",
    buckets=_LATENCY,
)
FIRST_AUDIO = Metric(
    "tts_time_to_first_audio_seconds",
    Type.HISTOGRAM,
    "seconds",
    "Time from a request to its first audio.",
    buckets=_LATENCY,
)
QUEUE_WAIT = Metric(
    "tts_queue_wait_seconds", Type.HISTOGRAM, "seconds", "Time that a request waited in the queue.", buckets=_LATENCY
)
AUDIO_DURATION = Metric(
    "tts_audio_duration_seconds",
    Type.HISTOGRAM,
    "seconds",
    "Length of the audio of one request.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300),
)

# Load
QUEUE_DEPTH = Metric(
    "tts_queue_depth",
    Type.GAUGE,
    "requests",
    "Accepted requests that wait because max_concurrency others are in flight. At most the first sentence of each has "
    "been synthesized.",
    scope=Scope.OBJECT,
    scaling=ScalingTarget("queueDepth", "Waiting requests per worker.", minimum=1, maximum=10_000, default=4),
)
REQUESTS_IN_FLIGHT = Metric(
    "tts_requests_in_flight", Type.GAUGE, "requests", "Accepted requests that do not wait.", scope=Scope.OBJECT
)
ACTIVE_REQUESTS = Metric(
    "tts_active_requests", Type.GAUGE, "requests", "The same as tts_requests_in_flight, under a second name."
)
LOAD = Metric(
    "tts_load_ratio", Type.GAUGE, "ratio", "Requests in flight, divided by max_concurrency.", scope=Scope.PODS
)
MAX_CONCURRENCY = Metric(
    "tts_max_concurrency",
    Type.GAUGE,
    "requests",
    "The setting max_concurrency: how many requests the worker synthesizes at the same time.",
)
BACKLOG = Metric(
    "tts_backlog_audio_seconds",
    Type.GAUGE,
    "seconds",
    "Audio that accepted requests still wait for, estimated from their texts.",
)

# Synthesis
AUDIO = Metric("tts_audio_seconds_total", Type.COUNTER, "seconds", "Audio synthesized.")
REAL_TIME_FACTOR = Metric(
    "tts_real_time_factor",
    Type.HISTOGRAM,
    "ratio",
    "Time of one call of the engine, divided by the length of its audio. Below 1 is faster than real time.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
BATCH_SIZE = Metric(
    "tts_batch_size",
    Type.HISTOGRAM,
    "sentences",
    "Sentences synthesized in one call of the engine.",
    buckets=(1, 2, 3, 4, 5, 8, 16),
)
SKIPPED_CHARACTERS = Metric(
    "tts_skipped_characters_total",
    Type.COUNTER,
    "characters",
    "Characters of accepted texts that the model cannot speak and left out.",
)

# Cache
CACHE_HITS = Metric("tts_cache_hits_total", Type.COUNTER, "sentences", "Sentences found in the cache.")
CACHE_MISSES = Metric("tts_cache_misses_total", Type.COUNTER, "sentences", "Sentences not found in the cache.")
CACHE_ERRORS = Metric(
    "tts_cache_errors_total",
    Type.COUNTER,
    "errors",
    "Failures of the cache, by reason: timeout, connection, authentication, protocol, refused, full, corrupt or behind "
    "(the worker dropped writes because Redis was too slow).",
    labels=("reason",),
)
CACHE_AVAILABLE = Metric("tts_cache_available", Type.GAUGE, "0 or 1", "1 while the worker uses the cache.")

# Model
MODEL_READY = Metric(
    "tts_model_ready",
    Type.GAUGE,
    "0 or 1",
    "1 while the model is ready for requests; 0 while it is not, and after another model replaced it.",
    labels=("model",),
)
VOICE_INFO = Metric(
    "tts_voice_info", Type.GAUGE, "always 1", "A voice of the loaded model.", labels=("voice", "language")
)
WARM_UP_REAL_TIME_FACTOR = Metric(
    "tts_warmup_real_time_factor",
    Type.GAUGE,
    "ratio",
    "Real-time factor of the warm-up sentence of about 30 characters. Absent until the model is loaded.",
    optional=True,
)
WARM_UP_FIRST_AUDIO = Metric(
    "tts_warmup_first_audio_seconds",
    Type.GAUGE,
    "seconds",
    "Time to the first audio of the warm-up sentence. Absent until the model is loaded.",
    optional=True,
)
WARM_UP_PEAK_MEMORY = Metric(
    "tts_warmup_peak_memory_bytes",
    Type.GAUGE,
    "bytes",
    "Peak memory of the process at the end of the warm-up. Absent until the model is loaded.",
    optional=True,
)
WARM_UP_PEAK_GPU_MEMORY = Metric(
    "tts_warmup_peak_gpu_memory_bytes",
    Type.GAUGE,
    "bytes",
    "Peak GPU memory of the process at the end of the warm-up. Absent until the model is loaded, and without a GPU.",
    optional=True,
)

# GPU
GPU_UTILIZATION = Metric(
    "tts_gpu_utilization_ratio",
    Type.GAUGE,
    "ratio",
    "Utilization of the worker's GPUs as NVML reports it, 0 to 1. Absent without a GPU, and for MIG slices.",
    optional=True,
    scope=Scope.PODS,
    scaling=ScalingTarget(
        "gpuUtilizationPercent",
        "Mean utilization of the workers' GPUs, in percent. Needs workers with a GPU.",
        minimum=1,
        maximum=100,
        scale=0.01,
        needs_gpu=True,
    ),
)
GPU_MEMORY_USED_RATIO = Metric(
    "tts_gpu_memory_used_ratio",
    Type.GAUGE,
    "ratio",
    "Used memory of the worker's GPUs, divided by their memory. Absent without a GPU.",
    optional=True,
    scope=Scope.PODS,
)
GPU_MEMORY_USED = Metric(
    "tts_gpu_memory_used_bytes",
    Type.GAUGE,
    "bytes",
    "Used memory of the worker's GPUs. Absent without a GPU.",
    optional=True,
)

# Download of a model
DOWNLOADED = Metric(
    "tts_model_download_bytes",
    Type.GAUGE,
    "bytes",
    "Bytes of the model downloaded so far.",
    exported_by=Exporter.DOWNLOAD,
)
DOWNLOAD_SIZE = Metric(
    "tts_model_download_total_bytes",
    Type.GAUGE,
    "bytes",
    "Size of the download as the source reports it; 0 while unknown.",
    exported_by=Exporter.DOWNLOAD,
)

# Operator
RECONCILES = Metric(
    "tts_operator_reconciles_total",
    Type.COUNTER,
    "passes",
    "Passes over one TTSService, by result: unchanged (nothing to write), changed, refused (by the API server) or "
    "failed.",
    labels=("result",),
    exported_by=Exporter.OPERATOR,
)
RECONCILE_ERRORS = Metric(
    "tts_operator_reconcile_errors_total",
    Type.COUNTER,
    "passes",
    "Passes that failed. The operator retries each.",
    exported_by=Exporter.OPERATOR,
)
RECONCILE_DURATION = Metric(
    "tts_operator_reconcile_duration_seconds",
    Type.HISTOGRAM,
    "seconds",
    "Duration of a pass.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    exported_by=Exporter.OPERATOR,
)
API_REQUESTS = Metric(
    "tts_operator_api_requests_total",
    Type.COUNTER,
    "requests",
    "Requests to the API server, without watches, by verb and HTTP status. Code 0: the API server did not answer.",
    labels=("verb", "code"),
    exported_by=Exporter.OPERATOR,
)
SCRAPES = Metric(
    "tts_operator_scrapes_total",
    Type.COUNTER,
    "scrapes",
    "Reads of the metrics of worker and download pods, by result: answered or failed.",
    labels=("result",),
    exported_by=Exporter.OPERATOR,
)
SERVICES = Metric(
    "tts_operator_services",
    Type.GAUGE,
    "TTSServices",
    "TTSServices that the operator watches.",
    exported_by=Exporter.OPERATOR,
)
LEADER = Metric(
    "tts_operator_leader",
    Type.GAUGE,
    "0 or 1",
    "1 while this replica holds the Lease and writes.",
    exported_by=Exporter.OPERATOR,
)
OPERATOR_QUEUE_DEPTH = Metric(
    "tts_operator_queue_depth",
    Type.GAUGE,
    "TTSServices",
    "TTSServices that wait for a pass now.",
    exported_by=Exporter.OPERATOR,
)
LAST_RECONCILE_AGE = Metric(
    "tts_operator_last_reconcile_age_seconds",
    Type.GAUGE,
    "seconds",
    "Time since the last pass ended; -1 before the first one.",
    exported_by=Exporter.OPERATOR,
)

CATALOGUE: Final = tuple(row for row in list(globals().values()) if isinstance(row, Metric))
"""Every row above, in the order in which it is written."""

SCALING_TARGETS: Final = {row: row.scaling for row in CATALOGUE if row.scaling}
