"""The second opinion on the worker: the finished log folded anew, by core and wire alone, and compared record by record."""
