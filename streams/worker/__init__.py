"""The worker: call events in, decisions out, exactly once.

`engine.py` is the protocol, one partition's worth, without I/O. Around it: `transactions.py` writes (confluent-kafka),
`transport.py` reads (Faust and aiokafka), `partition.py` gives each partition its thread, `app.py` is the Faust
application that opens and closes them as partitions come and go.
"""
