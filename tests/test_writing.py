"""Files are written whole or not at all, and never over one that is not meant."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from symface_cli import writing
from symface_cli.errors import Hint, OutputError
from symface_cli.writing import Destination, Inputs, check_file, prepare_files, write_file, written_gradually
from tests.users import modes, ordinary_user, shared_folder

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are POSIX's")
Fail = Callable[..., None]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def failing(number: int) -> Fail:
    """A function of the system's that does not work."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# ---- whole or not at all


@pytest.mark.parametrize("name", ["new.png", "old.png", "x" * 251 + ".png"])
def test_file_is_written_or_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.png").write_bytes(b"old and longer")
    assert write_file(tmp_path / name, b"new", replace=True) is None
    assert (tmp_path / name).read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {name, "old.png"}


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
@pytest.mark.parametrize("replace", [False, True])
def test_mode_of_a_new_file_follows_the_umask(tmp_path: Path, mask: int, mode: int, replace: bool) -> None:
    with umask(mask):
        write_file(tmp_path / "result.png", b"data", replace)
    assert stat.S_IMODE((tmp_path / "result.png").stat().st_mode) == mode


@posix
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_replaced_file_keeps_its_mode_and_its_owner(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "result.png"
    file.write_bytes(b"old")
    file.chmod(mode)
    if os.geteuid() == 0:
        os.chown(file, 1234, 5678)
    before = file.stat()
    write_file(file, b"new", replace=True)
    after = file.stat()
    assert file.read_bytes() == b"new" and after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@posix
def test_nobody_else_can_read_what_replaces_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(writing.os, "fsync", lambda file: (seen.append(os.fstat(file).st_mode), fsync(file)))
    (tmp_path / "result.png").touch(mode=0o600)
    write_file(tmp_path / "result.png", b"new", replace=True)
    assert [stat.S_IMODE(mode) for mode in seen] == [0o600]


FAILURES = [(errno.ENOSPC, "no space left"), (errno.EIO, os.strerror(errno.EIO))]


@pytest.mark.parametrize(("number", "reason"), FAILURES)
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int, reason: str
) -> None:
    target = tmp_path / "result.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(writing.os, function, failing(number))
    with pytest.raises(OutputError, match=reason) as caught:
        write_file(target, b"new", replace=True)
    assert str(caught.value).startswith(f"cannot write {target}: ")
    assert names(tmp_path) == ["result.png"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("replace", [False, True])
def test_interrupted_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    def interrupt(_: int) -> None:
        assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "result.png", b"new", replace)
    assert names(tmp_path) == []


# ---- what cannot be replaced is written in place


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV, errno.EPERM])
@pytest.mark.parametrize("data", [b"new", b"new and longer"])
def test_mount_point_is_written_in_place_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, data: bytes
) -> None:
    target = tmp_path / "mounted.jpg"
    target.write_bytes(b"old file")
    before = target.stat().st_ino
    monkeypatch.setattr(writing.os, "replace", failing(number))
    note = write_file(target, data, replace=True)
    assert note is not None and str(target) in note and "in place" in note and os.strerror(number) in note
    assert target.read_bytes() == data and target.stat().st_ino == before
    assert names(tmp_path) == ["mounted.jpg"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_file_in_a_folder_that_takes_no_new_one_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    target = tmp_path / "result.jpg"
    target.write_bytes(b"old")
    unpatched = Path.open

    def refuse(path: Path, mode: str = "r", **rest: object) -> object:
        if mode == "xb":
            raise OSError(number, os.strerror(number))
        return unpatched(path, mode, **rest)

    monkeypatch.setattr(Path, "open", refuse)
    assert "in place" in (write_file(target, b"new", replace=True) or "")
    assert target.read_bytes() == b"new"
    with pytest.raises(OutputError, match=r"permission denied|read-only"):
        write_file(tmp_path / "new.jpg", b"new", replace=True)
    assert names(tmp_path) == ["result.jpg"]


def test_write_in_place_that_fails_puts_the_old_contents_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "mounted.jpg"
    target.write_bytes(b"old")
    calls = iter([None, OSError(errno.ENOSPC, "full"), None])  # of the temporary file, in place, and back
    fsync = os.fsync

    def fill_up(file: int) -> None:
        fsync(file)
        failure = next(calls)
        if failure is not None:
            raise failure

    monkeypatch.setattr(writing.os, "fsync", fill_up)
    monkeypatch.setattr(writing.os, "replace", failing(errno.EBUSY))
    with pytest.raises(OutputError, match="no space left"):
        write_file(target, b"new and longer", replace=True)
    assert target.read_bytes() == b"old"
    assert next(calls, "all used") == "all used"


# ---- links, pipes, devices


@posix
def test_link_is_followed_and_pipe_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("real.png")
    write_file(tmp_path / "link.png", b"data", replace=False)
    assert (tmp_path / "link.png").is_symlink() and (tmp_path / "real.png").read_bytes() == b"data"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", b"data", replace=False)
    assert os.read(reader, 100) == b"data" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


@posix
def test_other_hard_links_keep_the_old_contents(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / "b.png").hardlink_to(tmp_path / "a.png")
    write_file(tmp_path / "a.png", b"new", replace=True)
    assert [(tmp_path / name).read_bytes() for name in ("a.png", "b.png")] == [b"new", b"old"]


@posix
def test_devices_need_no_permission_to_replace() -> None:
    assert write_file(Path("/dev/null"), b"data", replace=False) is None
    prepare_files([Destination(Path("/dev/null"), False)] * 2, Inputs())
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux has files by their descriptors")
@pytest.mark.parametrize("place", ["/dev/fd", "/proc/self/fd"])
def test_file_that_the_shell_has_opened_is_written_to_where_it_is(tmp_path: Path, place: str) -> None:
    """As with `--report /dev/stdout > log`: what is in the log stays, and what comes later is behind it."""
    with (tmp_path / "log").open("wb", buffering=0) as log:
        log.write(b"before ")
        prepare_files([Destination(Path(place, str(log.fileno())), False)], Inputs())
        assert write_file(Path(place, str(log.fileno())), b"data", replace=True) is None
        log.write(b" after")
    assert (tmp_path / "log").read_bytes() == b"before data after"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_full_device_is_an_output_error() -> None:
    with pytest.raises(OutputError, match=r"cannot write /dev/full: no space left"):
        write_file(Path("/dev/full"), b"data", replace=False)


# ---- what may not be replaced


def test_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a\.png: already exists$") as caught:
        write_file(tmp_path / "a.png", b"new", replace=False)
    assert caught.value.hint is Hint.OVERWRITE
    assert (tmp_path / "a.png").read_bytes() == b"mine"


@pytest.mark.parametrize("links", [True, False])
def test_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    target = tmp_path / "a.png"
    fsync = os.fsync

    def overtake(file: int) -> None:
        target.write_bytes(b"another run's")
        fsync(file)

    if not links:
        monkeypatch.setattr(writing.os, "link", failing(errno.EPERM))
    monkeypatch.setattr(writing.os, "fsync", overtake)
    with pytest.raises(OutputError, match="already exists"):
        write_file(target, b"new", replace=False)
    assert target.read_bytes() == b"another run's" and names(tmp_path) == ["a.png"]


@posix
@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
def test_write_protected_file_is_kept_though_its_folder_lets_it_be_replaced(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    (tmp_path / "a.png").chmod(mode)
    with pytest.raises(OutputError, match="write-protected"):
        write_file(tmp_path / "a.png", b"new", replace=True)
    assert (tmp_path / "a.png").read_bytes() == b"mine"


@posix
@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "it is a folder"), ("missing/a.png", "its folder does not"), ("file/a.png", "its folder is a file")],
)
def test_name_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OutputError, match=reason):
        write_file(tmp_path / name, b"new", replace=True)
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.png", "loop.png"])
def test_name_that_no_file_can_have_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(OutputError, match=r"\Acannot write [^\n\0]*\Z"):
        write_file(tmp_path / name, b"new", replace=True)
    with pytest.raises(OutputError):
        prepare_files([Destination(tmp_path / name, True)], Inputs())


# ---- what is read is never written


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "Ann").mkdir(parents=True)
    (tmp_path / "photos" / "Ann" / "1.jpg").write_bytes(b"a photo")
    return tmp_path / "photos" / "Ann" / "1.jpg"


SPELLINGS = ["photos/Ann/1.jpg", "photos/../photos/Ann/./1.jpg", "soft.jpg", "hard.jpg", "folder/1.jpg"]


@posix
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_input_is_known_by_any_name(tmp_path: Path, photo: Path, spelling: str) -> None:
    (tmp_path / "soft.jpg").symlink_to(photo)
    (tmp_path / "hard.jpg").hardlink_to(photo)
    (tmp_path / "folder").symlink_to(photo.parent)
    for replace in (False, True):
        with pytest.raises(OutputError, match="one of the files that are read") as caught:
            check_file(tmp_path / spelling, replace, Inputs([photo]))
        assert caught.value.hint is None
    assert check_file(tmp_path / "photos" / "2.jpg", False, Inputs([photo])) is None


def test_photos_of_a_folder_that_is_read_are_never_written(tmp_path: Path, photo: Path) -> None:
    inputs = Inputs([tmp_path / "photos"])
    (tmp_path / "photos" / "labels.csv").touch()
    assert photo in inputs
    assert tmp_path / "photos" / "labels.csv" not in inputs
    assert photo.with_name("new.jpg") not in inputs
    photo.rename(tmp_path / "1.jpg")
    assert tmp_path / "1.jpg" not in inputs


# ---- before the work


def test_preparing_makes_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    destinations = [Destination(tmp_path / name, False) for name in ("new/a.html", "new/below/b.csv", "c.json")]
    prepare_files(destinations, Inputs())
    assert names(tmp_path) == ["new", "new/below"]


def test_nothing_is_made_where_one_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").touch()
    with pytest.raises(OutputError, match="already exists"):
        prepare_files([Destination(tmp_path / name, False) for name in ("new/a.html", "mine.csv")], Inputs())
    assert names(tmp_path) == ["mine.csv"]


@pytest.mark.parametrize("name", ["1.jpg", "scan.TIF", "cat.gif"])
def test_only_a_picture_replaces_a_picture(tmp_path: Path, name: str) -> None:
    """The shell makes `--report a/1.jpg a/2.jpg` of `--report a/*.jpg`."""
    (tmp_path / name).write_bytes(b"a photo")
    with pytest.raises(OutputError, match="it is a picture"):
        prepare_files([Destination(tmp_path / name, True)], Inputs())
    prepare_files([Destination(tmp_path / name, True, is_picture=True)], Inputs())


@posix
@pytest.mark.parametrize("other", ["a.html", "./b/../a.html", "link.html", "hard.html"])
def test_two_results_in_one_file_are_refused(tmp_path: Path, other: str) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "link.html").symlink_to("a.html")
    if other == "hard.html":
        (tmp_path / "a.html").touch()
        (tmp_path / "hard.html").hardlink_to(tmp_path / "a.html")
    with pytest.raises(OutputError, match="two results"):
        prepare_files([Destination(tmp_path / name, True) for name in ("a.html", other)], Inputs())


def test_folder_that_takes_no_file_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing.tempfile, "TemporaryFile", lambda dir: failing(errno.EROFS)())
    with pytest.raises(OutputError, match=r"cannot write .*a\.csv: the file system is read-only"):
        prepare_files([Destination(tmp_path / "a.csv", False)], Inputs())
    (tmp_path / "mounted.csv").touch()
    prepare_files([Destination(tmp_path / "mounted.csv", True)], Inputs())


DENIED = "permission denied; choose another folder"


@modes
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("private/a.csv", DENIED),
        ("private/new.csv", DENIED),
        ("closed/new.csv", DENIED),
        ("closed/mine.csv", "it is write-protected; permit writing or give another name"),
    ],
)
def test_what_may_not_be_written_is_refused_before_the_work(name: str, reason: str) -> None:
    with shared_folder() as folder, ordinary_user():
        with pytest.raises(OutputError) as caught:
            prepare_files([Destination(folder / name, True)], Inputs())
        assert str(caught.value) == f"cannot write {folder / name}: {reason}"
        with pytest.raises(OutputError) as again:
            write_file(folder / name, b"new", replace=True)
        assert str(again.value) == str(caught.value)


@modes
def test_writable_file_in_a_closed_folder_is_written_in_place() -> None:
    with shared_folder() as folder, ordinary_user():
        file = folder / "closed" / "ours.csv"
        prepare_files([Destination(file, True)], Inputs())
        note = write_file(file, b"new", replace=True)
        assert note == f"{file} was written in place, because it cannot be replaced (Permission denied)"
        assert file.read_bytes() == b"new"


def test_a_file_that_is_written_gradually_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with written_gradually(path, replace=False) as temporary:
        temporary.write_bytes(b"half")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".mp4"
        assert not path.exists()
        temporary.write_bytes(b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_bytes() == b"whole"
    with pytest.raises(OutputError, match="already exists"), written_gradually(path, replace=False):
        pass


def test_of_a_file_that_is_not_finished_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), written_gradually(path, replace=True) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_bytes() == b"old"
