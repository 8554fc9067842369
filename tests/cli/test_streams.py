"""Standard streams that are full, closed, read by nobody, or of another encoding."""

import io
import os
import subprocess
import sys

import pytest
from PIL import Image

from symface_cli.cli.app import main
from symface_cli.cli.console import err, print_text
from symface_cli.measurement import asymmetry

FULL = "No space left on device"
posix = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")  # noqa: PTH110


@pytest.fixture
def small(tmp_path, portrait):
    """A folder of three small portraits."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b", "c"):
        Image.open(portrait).resize((160, 160)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(autouse=True)
def few_looks(monkeypatch):
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])


def nobody_reads():
    """A pipe whose other end is closed."""
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w")


def full():
    return open("/dev/full", "w")  # noqa: PTH123


def closed():
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    return stream


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line in this process with another stream; returns the status and what is on standard error."""

    def run(name, stream, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(sys, name, stream)
            status = main([str(argument) for argument in arguments])
        if stream is not None and not stream.closed:
            stream.close()  # as when the process ends: what it still holds is written
        return status, capsys.readouterr().err

    return run


@posix
@pytest.mark.parametrize(
    ("stream", "status", "told"),
    [
        (full, 3, f"symface: cannot write to standard output: {FULL}\n"),
        (closed, 3, "symface: cannot write to standard output: it is closed\n"),
        (lambda: None, 3, "symface: cannot write to standard output: it is closed\n"),
        (nobody_reads, 0, ""),
    ],
)
def test_a_batch_is_done_whoever_reads_its_paths(run, small, tmp_path, stream, status, told):
    done = run("stdout", stream(), "symmetrize", small, "-o", tmp_path / "out")
    assert done == (status, told + "3 of 3 photos done, 0 failed\n")
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


@posix
@pytest.mark.parametrize("options", [(), ("--csv", "-"), ("--json", "-")])
@pytest.mark.parametrize(
    ("stream", "told"),
    [(full, f"symface: cannot write to standard output: {FULL}\n"), (nobody_reads, "")],
)
def test_what_is_asked_for_on_standard_output_is_not_lost_without_a_status(run, small, options, stream, told):
    assert run("stdout", stream(), "measure", small / "a.png", *options) == (3, told)


@posix
def test_tables_in_files_are_whole_whoever_reads_the_text(run, small, tmp_path):
    status, told = run("stdout", nobody_reads(), "measure", small, "--csv", tmp_path / "m.csv")
    assert (status, told) == (0, "3 of 3 photos done, 0 failed\n")
    assert len((tmp_path / "m.csv").read_text().splitlines()) == 4


@posix
@pytest.mark.parametrize("arguments", [("--version",), ("doctor", "--json"), ("symmetrize", "{photo}", "-o", "-")])
def test_a_full_disk_is_one_line_of_every_command(run, small, arguments, monkeypatch):
    monkeypatch.setattr("symface_cli.doctor.checks.diagnose", lambda *_: [])
    filled = [argument.format(photo=small / "a.png") for argument in arguments]
    assert run("stdout", full(), *filled) == (3, f"symface: cannot write to standard output: {FULL}\n")


@pytest.mark.parametrize("stream", [closed, lambda: None])
def test_a_closed_standard_input_is_one_line(run, tmp_path, stream):
    status, told = run("stdin", stream(), "symmetrize", "-", "-o", tmp_path / "x.png")
    assert (status, told) == (3, "symface: cannot read standard input: it is closed\n")


@pytest.mark.parametrize("stream", [nobody_reads, closed, lambda: None, pytest.param(full, marks=posix)])
def test_without_standard_error_the_work_is_done_all_the_same(run, small, tmp_path, stream):
    assert run("stderr", stream(), "symmetrize", small, "-o", tmp_path / "out")[0] == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 3


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", r"caf\xe9 \u5b50 \xb1 \udce9"), ("cp1252", r"café \u5b50 ± \udce9"), ("utf-8", r"café 子 ± \udce9")],
)
def test_text_can_be_printed_in_every_encoding(monkeypatch, encoding, shown):
    """Strict ones, as PYTHONIOENCODING asks for."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    print_text("café 子 ± \udce9")
    assert stream.buffer.getvalue().decode(encoding) == f"{shown}\n"


def test_measures_and_paths_are_printed_in_an_encoding_that_lacks_their_characters(monkeypatch, small):
    (small / "a.png").rename(small / "café 子.png")
    for name in ("b.png", "c.png"):
        (small / name).unlink()
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["measure", str(small)]) == 0
    text = stream.buffer.getvalue().decode("ascii")
    assert text.startswith(f"{small}/caf\\xe9 \\u5b50.png, face 1: midline ")
    stream.buffer.truncate(0)
    stream.buffer.seek(0)
    assert main(["symmetrize", str(small), "--output", "face"]) == 0
    assert stream.buffer.getvalue() == os.fsencode(f"{small}/café 子.symmetric-face.png\n")


def test_text_alone_is_enough_of_a_stream(monkeypatch):
    stream = io.StringIO()  # as of a notebook, or contextlib.redirect_stdout
    monkeypatch.setattr(sys, "stdout", stream)
    print_text("café")
    assert stream.getvalue() == "café\n"


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_variable_makes_no_terminal_of_a_log(run, small, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    log = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", log)
    assert not err.is_terminal
    assert main(["symmetrize", str(small), "-o", str(tmp_path / "out")]) == 0
    assert log.buffer.getvalue() == b"3 of 3 photos done, 0 failed\n"


@posix
@pytest.mark.parametrize(
    ("redirection", "status", "told"),
    [
        ("> /dev/full", 3, f"symface: cannot write to standard output: {FULL}\n"),
        (">&-", 3, "symface: cannot write to standard output: it is closed\n"),
        ("> /dev/full 2>&1", 3, ""),
    ],
)
def test_the_process_ends_with_that_status(redirection, status, told):
    """Python would end with 120 if it still held what it could not write."""
    command = f'"{sys.executable}" -m symface_cli --version {redirection}'
    finished = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (status, told)
