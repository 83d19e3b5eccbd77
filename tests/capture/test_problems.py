"""Problems of the capture are said once, and never raised."""

import sys

import pytest

from provdb.capture.problems import problem_counts, report
from provdb.errors import ReadError


def test_each_problem_is_said_once_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problem = ReadError("definition.yaml", "entity R0 is not declared", line=17)

    report(problem)
    report(problem)

    text = "definition.yaml:17: entity R0 is not declared"
    assert capsys.readouterr().err == f"provdb: {text}\n"
    assert problem_counts()[text] == 2


def test_problem_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    report("a value\nof two lines")

    assert capsys.readouterr().err == "provdb: a value of two lines\n"


def test_problem_has_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    report("mongodb://osa:hunter2@cp01/provenance is no path")

    assert "hunter2" not in capsys.readouterr().err


def test_no_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    report("nobody hears this")

    assert problem_counts()["nobody hears this"] == 1
