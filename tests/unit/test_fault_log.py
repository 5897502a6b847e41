"""What a fault leaves in the log."""

from pathlib import Path

import pytest
import structlog

from greenchannel.assembly import build
from greenchannel.settings import Settings


def test_a_traceback_in_the_log_shows_no_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault names its error and the lines it passed, and never what the variables there held."""

    def sign_in(password: str) -> None:
        raise RuntimeError("broken within")

    build(Settings(data_dir=tmp_path, port=0))
    try:
        sign_in("emases nepo"[::-1])
    except RuntimeError as error:
        structlog.get_logger("x").error("fault", exc_info=error)
    said = capsys.readouterr().out
    assert "broken within" in said and "sign_in" in said
    assert "open sesame" not in said
