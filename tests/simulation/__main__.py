"""Play simulated duty days: ``python -m tests.simulation --seed 7 --days 100``; with a bug: ``--planted NAME``."""

import argparse
import contextlib
import sys
import time

from tests.simulation.day import simulate
from tests.simulation.many_days import play_many
from tests.simulation.planted import BUGS


def main() -> int:
    """Play what the command line says; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first day")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--history", action="store_true", help="print all that happened on one day")
    parser.add_argument(
        "--planted", choices=sorted(BUGS), metavar="BUG", help="one of: " + "; ".join(sorted(BUGS))
    )
    args = parser.parse_args()
    if args.days > 1 and args.planted is None:
        started_s = time.monotonic()
        tally = play_many(args.seed, args.days, args.workers)
        print(tally.text(args.seed, time.monotonic() - started_s))
        return int(tally.failed > 0 or bool(tally.quiet))
    plant = contextlib.nullcontext if args.planted is None else BUGS[args.planted].plant
    broken = False
    for seed in range(args.seed, args.seed + args.days):
        with plant():
            report = simulate(seed, keep_history=args.history)
        sys.stdout.writelines(report.lines)
        print(
            f"seed {seed}: {report.digest}, {report.alerts} alerts, {report.faults.total()} faults, "
            f"{report.kills} kills, {report.events} events"
        )
        for name, what in report.violations[:20]:
            print(f"  broken: {name}: {what}")
        broken |= bool(report.violations)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
