"""Is anything lost or doubled while processes are killed, Redis is away, PostgreSQL starts again?

`make chaos` runs it in full, `python -m tests.chaos --scale tenth` with a tenth of the leads and kills, the test suite
in its shortest form. Everything it needs is started for it: a PostgreSQL cluster, a Redis, a mail server, web, worker
and beat, on free loopback ports and in temporary folders, and nothing of that is left when it ends.
"""
