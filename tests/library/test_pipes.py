"""Wake-ups by named pipes: whoever is gone, deaf or new."""

import contextlib
import errno
import os
import threading
from pathlib import Path

import pytest

from monolift.transport import pipes
from monolift.transport.pipes import Knocker, Mailbox, knock


@pytest.fixture
def knocker(monkeypatch: pytest.MonkeyPatch) -> Knocker:
    """One that never looks anew by itself, so that a test sees what makes it look."""
    monkeypatch.setattr(pipes, "STALE", 3600)
    return Knocker()


def test_everyone_who_listens_is_woken(tmp_path: Path, knocker: Knocker) -> None:
    mailboxes = [Mailbox(tmp_path) for _ in range(3)]
    knocker.knock(tmp_path)
    assert [mailbox.wait(0) for mailbox in mailboxes] == [True] * 3
    knock(tmp_path)
    assert [mailbox.wait(0) for mailbox in mailboxes] == [True] * 3
    assert [mailbox.wait(0) for mailbox in mailboxes] == [False] * 3
    for mailbox in mailboxes:
        mailbox.close()


def test_who_comes_later_is_woken_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "STALE", 0)
    knocker = Knocker()
    knocker.knock(tmp_path)
    late = Mailbox(tmp_path)
    knocker.knock(tmp_path)
    assert late.wait(0)
    late.close()


def test_who_is_gone_hinders_nobody(tmp_path: Path, knocker: Knocker) -> None:
    gone, stays = Mailbox(tmp_path), Mailbox(tmp_path)
    knocker.knock(tmp_path)
    assert stays.wait(0)
    gone.close()
    for _ in range(2):
        knocker.knock(tmp_path)
        assert stays.wait(0)
    assert len(knocker._pipes) == 1
    stays.close()


def test_knocks_that_nobody_takes_never_block(tmp_path: Path, knocker: Knocker) -> None:
    deaf, hears = Mailbox(tmp_path), Mailbox(tmp_path)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(deaf._writer, bytes(4096))
    knocker.knock(tmp_path)
    knock(tmp_path)
    assert hears.wait(0)
    assert len(knocker._pipes) == 2
    deaf.close()
    hears.close()


def test_closing_wakes_who_waits(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(mailbox.wait(3600)))
    waiting.start()
    mailbox.withdraw()
    waiting.join(30)
    assert woken == [True]
    mailbox.close()
    mailbox.withdraw()  # nothing of it is left to write to
    mailbox.close()
    assert not list(tmp_path.iterdir())


def test_a_child_knocks_by_files_of_its_own(tmp_path: Path, knocker: Knocker) -> None:
    """A daemon closes the files that it inherited: their numbers are other files' soon."""
    mailbox = Mailbox(tmp_path)
    knocker.knock(tmp_path)
    inherited = set(knocker._pipes.values())
    assert mailbox.wait(0)
    child = os.fork()
    if not child:
        try:
            held = dict(knocker._pipes)
            for descriptor in inherited:  # as python-daemon does, then something opens a file
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            victim = os.open(tmp_path / "victim", os.O_RDWR | os.O_CREAT)
            knocker.knock(tmp_path)
            os._exit(0 if not held and os.fstat(victim).st_size == 0 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert mailbox.wait(0)
    mailbox.close()


def test_where_there_are_no_pipes_one_looks_by_oneself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(path: Path) -> None:  # as some file systems of networks do
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))

    monkeypatch.setattr(os, "mkfifo", refused)
    mailbox = Mailbox(tmp_path)
    assert "cannot wake this process" in caplog.text
    knock(tmp_path)
    assert not mailbox.wait(0)
    mailbox.withdraw()
    assert mailbox.wait(0)
    mailbox.close()


def test_a_pipe_that_another_user_reads_is_left(tmp_path: Path) -> None:
    theirs = Mailbox(tmp_path)
    theirs._file.chmod(0)
    tmp_path.chmod(0o777)
    child = os.fork()
    if not child:
        try:
            os.chdir(tmp_path)  # its parents are closed to others
            if os.geteuid() == 0:
                os.setuid(65534)
            seen = pipes._names(Path())
            pipes._forget_the_dead(Path())
            os._exit(0 if seen == pipes._names(Path()) == [theirs._file.name] else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    theirs.close()
