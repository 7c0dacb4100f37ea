"""Log lines of processes that have not loaded Django, in the shape of all others: JSON."""

import json
import logging
import time


def threads_are_meant(record: logging.LogRecord) -> bool:
    """Leave out granian's advice to have fewer threads: ours wait for databases and other
    deployables most of the time.
    """
    return "Python threads, which seems quite high" not in record.getMessage()


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON object."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "time": f"{moment}.{int(record.msecs * 1000):06d}Z",
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
