"""Where the tests of data look for it: nowhere but in folders of their own."""

from pathlib import Path

import pytest

from neurosym_lite.data import sources

from .official import Web


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, NEUROSYM_DATA unset, no proxy on the way to this machine."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(sources, "cache_folder", lambda: folder)
    monkeypatch.delenv(sources.ENVIRONMENT, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def web(cache):
    with Web().running() as web:
        yield web
