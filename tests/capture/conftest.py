"""What is captured in a test: nothing of it leaves the process."""

import logging
from collections.abc import Iterator

import pytest

from tests.capture.recorder import Recorder


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """What the test records."""
    for name in ("PROVDB_DEFINITION", "PROVDB_DRY_RUN", "PROVDB_SESSION_TAG"):
        monkeypatch.setenv(name, "")  # Whatever the test makes of it is undone.
    recorder = Recorder()
    logger = logging.getLogger("provdb")
    logger.addHandler(recorder)
    yield recorder
    logger.removeHandler(recorder)
