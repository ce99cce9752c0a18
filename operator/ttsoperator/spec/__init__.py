"""The typed TTSService, the single source of the CRD's schema; each module has one group of fields."""

from ttsoperator.spec.service import DEFAULT_GPU, InvalidSpec, ServiceType, TTSService, TTSServiceSpec, parse

__all__ = ["DEFAULT_GPU", "InvalidSpec", "ServiceType", "TTSService", "TTSServiceSpec", "parse"]
