"""A real Kubernetes on a bare Linux machine: `python3 hack/devcluster up` (see docs/devcluster.md)."""

import sys

from devcluster.cli import main

sys.exit(main())
