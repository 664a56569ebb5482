"""A small fake of the Kubernetes API that real kubectl talks to.

It stores objects, applies them server-side, runs a tiny controller, and lets a test say what
becomes of an image. It is no cluster: no admission, no scheduler, no authorization.
"""

from tests.fakekube.server import FakeCluster

__all__ = ["FakeCluster"]
