"""Runs a program of ours with one more engine: `python -m tests.support.fake_engine MODULE [ARGUMENT]...`.

The engine is a row of the catalogue and a module of the tests, and nothing else in the house knows it.
"""

import runpy
import sys

from ttscontract import engines

FAKE = engines.Engine(
    name="fake",
    summary="tones, for tests",
    module="tests.support.worker.artificial:ArtificialEngine",
    model_folder="anything",
    licence="Apache-2.0",
    requests={"cpu": "123m", "memory": "45Mi"},
    limits={"memory": "67Mi"},
    gpus=2,
    precisions=(engines.Precision.AUTO,),
    builtin="builtin://fake",
    programs={"no-such-program": "it is for tests"},
)

if __name__ == "__main__":
    vars(engines)["ENGINES"] = (*engines.ENGINES, FAKE)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
