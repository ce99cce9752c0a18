"""The rules that every engine keeps, as tests: `pytest --pyargs ttsworker.conformance --engine my.module:Engine`.

docs/engines.md shows how to write an engine. pytest comes with the extra `conformance`; nothing imports this room.
"""
