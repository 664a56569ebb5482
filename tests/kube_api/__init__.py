"""A small fake of the Kubernetes API for the real kubectl.

It stores objects, applies them server-side with field managers, runs controllers, and lets a test
set how the containers of an image behave. It has no authorization, admission, schemas, watches or
grace periods; see README.md.
"""

from tests.kube_api.cluster import FakeCluster

__all__ = ["FakeCluster"]
