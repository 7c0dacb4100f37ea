"""Django's engine for PostgreSQL, for the database of a module that moves: all writes are fenced.

    DATABASES["inventory"]["ENGINE"] = "monolift.db.postgresql"

It enters the fence with the first statement of each transaction, in the message that begins it, so
it costs no round trip. What is written outside of a transaction gets one of its own. The module's
role is read-only by default, so that what came by another way would be refused.
"""
