"""The contract on the wire: Avro schemas, framings, decoding with its refusals, numbered and hashed outputs, NDJSON.

Pure: what stands here depends on the bytes it is given. It reads its schemas from the package and reaches nothing else.
"""
