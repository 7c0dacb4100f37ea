"""Run Celery's worker on the queues of all modules, or of some, until SIGTERM.

Needs MONOLIFT["EXECUTOR"] = "celery" and, in another process, `monolift worker`, which relays
events and hands out the work. A process of its own per busy module scales that module alone.
"""

import argparse

NEEDS_DJANGO = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--modules", metavar="A,B", help="modules whose work to run (default: all of them)"
    )
    parser.add_argument(
        "--concurrency",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=2,
        help="deliveries at a time, 1 to 64 (default: %(default)s)",
    )
    parser.add_argument(
        "--pool",
        choices=("prefork", "threads", "solo"),
        default="prefork",
        help="Celery's pool (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Work until told to stop."""
    import os

    from django.core.exceptions import ImproperlyConfigured

    from monolift.management.choices import module_labels
    from monolift.management.errors import VerbError
    from monolift.supervise.lifeline import end_with_parent

    queues = module_labels(options.modules)
    try:
        from celery.signals import setup_logging, worker_process_init

        from monolift.events.celery import application
        from monolift.truth.follow import follow
    except ModuleNotFoundError as error:
        if error.name != "celery":
            raise
        raise VerbError(
            "Celery is not installed. It comes with the extra `celery`: "
            'pip install "monolift[celery]".'
        ) from None
    try:
        app = application()
    except (ImproperlyConfigured, ImportError) as error:
        raise VerbError(str(error)) from None
    main = os.getpid()

    def keep_logging(**_: object) -> None:
        """Django has configured the logs already."""

    def end_with_main(**_: object) -> None:
        end_with_parent(parent=main)
        follow()

    setup_logging.connect(keep_logging)
    worker_process_init.connect(end_with_main)
    follow()
    app.worker_main(
        [
            "--quiet", "worker", "--queues", ",".join(queues),
            "--concurrency", str(options.concurrency), "--pool", options.pool,
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]
    )  # fmt: skip
    return 0
