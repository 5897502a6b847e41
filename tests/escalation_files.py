"""A site's own escalation file for tests that cannot wait as long as people do."""

from pathlib import Path

TEXT = """
paging_tiers = ["ACT", "CRIT"]
waiting_s = {{ URG = 600.0 }}
channels = ["live"]
everybody_roles = ["first", "second", "head"]
grace_s = 600.0
analysis_s = 600.0
follow_up_s = 600.0
receipt_s = 600.0
repeat_s = [600.0]
step = [
  {{after_s = 0.0, role = "first"}},
  {{after_s = {0}, role = "second", again = ["first"]}},
  {{after_s = {1}, role = "head"}},
  {{after_s = {2}, role = "everybody"}},
]
"""


def write_escalation_file(folder: Path, *, apart_s: float) -> Path:
    """Write `escalation.toml` with four steps as far apart as that; nothing else falls due within ten minutes."""
    file = folder / "escalation.toml"
    file.write_text(TEXT.format(apart_s, 2 * apart_s, 3 * apart_s), encoding="utf-8")
    return file
