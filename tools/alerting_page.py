"""Write ``docs/alerting.md`` from the tables of the escalation; ``--check`` only compares."""

import sys
from pathlib import Path

from greenchannel.alerts.alerting_page import markdown

PAGE = Path(__file__).parent.parent / "docs/alerting.md"


def main() -> int:
    """Exit status 1 where the page is not what the tables say."""
    text = markdown()
    if "--check" in sys.argv[1:]:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
