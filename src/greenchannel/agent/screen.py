"""The terminal: one line an ECG, the states as they come, the advice large enough to read across the room."""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from greenchannel.agent.view import STEPS

MOST_LINES: Final = 15
BELL: Final = "\a"


def rendered(seen: Mapping[str, Any]) -> RenderableType:
    """What `view` says, for a terminal."""
    table = Table(expand=True, pad_edge=False)
    table.add_column("心电图 ECG", ratio=3, overflow="fold")
    for step in STEPS[:-1]:
        table.add_column(f"{step.zh}\n{step.en}", justify="center", ratio=1)
    parts: list[RenderableType] = [_head(seen)]
    for ecg in seen["ecgs"][:MOST_LINES]:
        table.add_row(_named(ecg), *(_mark(step) for step in ecg["steps"][:-1]))
    parts.append(table if seen["ecgs"] else Text("还没有心电图 no ECG yet"))
    for ecg in seen["ecgs"][:MOST_LINES]:
        if ecg["advice"] is not None:
            by = f" · {ecg['advice_by']}" if ecg["advice_by"] else ""
            style = "" if ecg["advice_heard"] else "bold"
            parts.append(
                Panel(Text(ecg["advice"], style=style), title=f"医生建议 advice · {ecg['name']}{by}")
            )
        if ecg["late"] is not None:
            parts.append(Text(f"{ecg['name']}: {ecg['late']['zh']} {ecg['late']['en']}", style="yellow"))
        if ecg["trouble"] is not None:
            parts.append(
                Text(f"{ecg['name']}: {ecg['trouble']['zh']} {ecg['trouble']['en']}", style="yellow")
            )
    return Group(*parts)


def _head(seen: Mapping[str, Any]) -> Text:
    where = "● 已连接 connected" if seen["connected"] else "○ 未连接 not connected"
    head = Text(
        f"{where} · 待发送 waiting {seen['waiting']} · 已送达 delivered {seen['taken']}", style="bold"
    )
    if seen["refused"]:
        head.append(f" · 未被接受 not accepted {seen['refused']}")
    trouble = seen["trouble"]
    if trouble is not None:
        head.append(f"\n{trouble['zh']} {trouble['en']}", style="yellow")
    disk = seen["disk_trouble"]
    if disk is not None:
        head.append(f"\n{disk['zh']} {disk['en']} ({disk['more']})", style="bold red")
    if seen["watch_trouble"]:
        head.append(f"\n{seen['watch_trouble']}", style="yellow")
    return head


def _named(ecg: Mapping[str, Any]) -> Text:
    mark, style = ("■", "red") if ecg["acute"] else ("▲", "yellow") if ecg["urgent"] else (" ", "")
    named = Text(f"{mark} ", style=style)
    named.append(ecg["name"], style="bold")
    if ecg["percent"] is not None:
        named.append(f" {ecg['percent']} %")
    if ecg["tier_zh"]:
        named.append(f"\n  {ecg['tier_zh']}", style=style)
    return named


def _mark(step: Mapping[str, Any]) -> Text:
    if step["at"] is None:
        return Text("—")
    return Text(f"✓ {datetime.fromisoformat(step['at']).astimezone():%H:%M:%S}")


class Screen:
    """Draws again where something has changed, and rings for advice that nobody has answered."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.live import Live

        self.console = console or Console()
        self._live = Live(console=self.console, auto_refresh=False, screen=False)
        self._rung: set[tuple[int, str]] = set()
        self._live.start()

    def show(self, seen: Mapping[str, Any]) -> None:
        """Draw."""
        self._live.update(rendered(seen), refresh=True)
        new = {
            (ecg["number"], ecg["advice"])
            for ecg in seen["ecgs"]
            if ecg["advice"] and not ecg["advice_heard"]
        }
        if new - self._rung and self.console.is_terminal:
            sys.stdout.write(BELL)
            sys.stdout.flush()
        self._rung |= new

    def close(self) -> None:
        """Leave the last picture standing."""
        self._live.stop()
