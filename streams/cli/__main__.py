"""`python -m streams.cli`: the same as the `tropplein` command."""

from streams.cli import main

raise SystemExit(main())
