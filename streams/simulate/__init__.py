"""A campaign of television spots and the calls it brings, drawn from a seed: pure, no clock, no I/O."""
