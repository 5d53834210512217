"""`python -m tests.simulation --seed 1 --runs 100`: many worlds, each audited; the first fault ends it."""

import argparse
import sys

from tests.simulation.run import command, simulate_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--runs", type=int, default=100, help="how many seeds from there (default 100)")
    args = parser.parse_args()
    events = questions = 0
    reasons: set[str] = set()
    for found in simulate_all(args.seed, args.runs):
        events, questions, reasons = events + found.events, questions + found.questions, reasons | found.reasons
        if found.faults:
            print(f"seed {found.seed}: {len(found.faults)} faults; again: {command(found.seed)}")
            print("\n".join(found.faults[:20]))
            return 1
    print(f"{args.runs} worlds from seed {args.seed}: {events} events, {questions} questions, no fault")
    print(f"reasons reached: {', '.join(sorted(reasons))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
