"""Prints the children of a TTSService as JSON, for another process: `python -m tests.support.operator.render SPEC`."""

import json
import sys

from tests.support.operator.world import World, service

if __name__ == "__main__":
    world = World()
    world.step(service(**json.loads(sys.argv[1])))
    json.dump(list(world.children.values()), sys.stdout)
