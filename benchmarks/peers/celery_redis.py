"""Celery over a Redis of its own runs tasks that only count, in two processes."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis
from celery import Celery

from monolift.supervise.preflight import any_free_port

app = Celery("peer", broker=os.environ.get("PEER_REDIS"))
app.conf.task_acks_late = True
app.conf.task_ignore_result = True


@app.task(name="note")
def note(number: int) -> None:
    """Count."""
    redis.Redis.from_url(os.environ["PEER_REDIS"]).incr("heard")


def main() -> None:
    """Send them all, then start the workers' clock at the first that is heard."""
    count = int(sys.argv[2])
    port = any_free_port()
    os.environ["PEER_REDIS"] = url = f"redis://127.0.0.1:{port}/0"
    app.conf.broker_url = url
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis.from_url(url)
        worker = None
        try:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
            for number in range(count):
                note.delay(number)
            worker = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "celery",
                    "-A",
                    "celery_redis",
                    "worker",
                    "-c",
                    "2",
                    "-l",
                    "error",
                ],
                cwd=Path(__file__).resolve().parent,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while not client.get("heard"):
                time.sleep(0.002)
            began = time.perf_counter()
            while int(client.get("heard") or 0) < count:
                time.sleep(0.002)
            print(time.perf_counter() - began)
        finally:
            if worker is not None:
                worker.terminate()
                worker.wait()
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
