"""How the log is reached: clients, topics, registry, publisher, reader, and an in-process broker for the demo."""
