"""A small fake of the Kubernetes API that the real kubectl talks to.

It stores objects, applies them server-side with field managers, runs controllers from the clock
alone, and lets a test say what becomes of an image. What it is not: no authorization, no
admission, no schemas, no watches, no grace periods; see README.md beside this file.
"""

from tests.kube_api.cluster import FakeCluster

__all__ = ["FakeCluster"]
