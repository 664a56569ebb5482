"""The registry of `make e2e`, used as builders and nodes use it."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.push import Registry
from tests.e2e.registry import MANIFEST, Images, digest_of
from tests.e2e.serving import serve

LAYER = b"a layer"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """A registry with nothing in it."""
    with serve(Images(tmp_path)) as port:
        yield f"127.0.0.1:{port}"


def _manifest(*layers: bytes) -> bytes:
    parts = [{"digest": digest_of(layer), "size": len(layer)} for layer in layers]
    return json.dumps({"mediaType": MANIFEST, "config": parts[0], "layers": parts}).encode()


def _get(host: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{host}/v2/{path}") as answer:
        content: bytes = answer.read()
    return content


def test_what_is_pushed_can_be_pulled(host: str) -> None:
    registry, manifest = Registry(host), _manifest(LAYER)
    registry.push_blob("acme/shop", digest_of(LAYER), LAYER)
    registry.push_manifest("acme/shop", "one", manifest, MANIFEST)
    assert _get(host, f"acme/shop/blobs/{digest_of(LAYER)}") == LAYER
    assert _get(host, "acme/shop/manifests/one") == manifest
    assert _get(host, f"acme/shop/manifests/{digest_of(manifest)}") == manifest


def test_layer_that_comes_in_pieces(host: str) -> None:
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/v2/acme/shop/blobs/uploads/")
    begun = connection.getresponse()
    begun.read()
    place = begun.headers["Location"]
    connection.request("PATCH", place, iter([LAYER[:3], LAYER[3:]]), encode_chunked=True)
    connection.getresponse().read()
    connection.request("PUT", f"{place}?digest={digest_of(LAYER)}")
    assert connection.getresponse().status == 201
    connection.close()
    assert _get(host, f"acme/shop/blobs/{digest_of(LAYER)}") == LAYER


def test_layer_that_is_not_what_its_digest_says(host: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        Registry(host).push_blob("acme/shop", digest_of(b"another"), LAYER)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _get(host, f"acme/shop/blobs/{digest_of(LAYER)}")


def test_manifest_without_its_layers(host: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        Registry(host).push_manifest("acme/shop", "one", _manifest(LAYER), MANIFEST)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _get(host, "acme/shop/manifests/one")
