"""Addresses are used like paths, and paths do without all that addresses need."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from symface_cli.storage.address import Address, parse_path
from tests.conftest import ROOT

PHOTO = Address("s3://bucket/photos/a b.jpg")


def test_an_address_has_the_parts_of_a_path():
    assert (PHOTO.name, PHOTO.stem, PHOTO.suffix, PHOTO.scheme) == ("a b.jpg", "a b", ".jpg", "s3")
    assert str(PHOTO.parent) == "s3://bucket/photos"
    assert str(PHOTO.with_name("b.png")) == "s3://bucket/photos/b.png"
    assert str(PHOTO.parent / "x" / "y.png") == "s3://bucket/photos/x/y.png"
    assert (str(PHOTO), f"{PHOTO}", os.fspath(PHOTO)) == ("s3://bucket/photos/a b.jpg",) * 3
    assert str(Address("s3://bucket//photos/./a.jpg")) == "s3://bucket/photos/a.jpg"


def test_what_is_relative_to_an_address_goes_below_a_folder():
    below = PHOTO.relative_to(Address("s3://bucket"))
    assert below.as_posix() == "photos/a b.jpg"
    assert Path("out") / below.parent == Path("out/photos")
    assert str(Address("gs://other") / below) == "gs://other/photos/a b.jpg"


def test_equal_addresses_are_one_also_in_another_process():
    again = pickle.loads(pickle.dumps(PHOTO))
    assert again == PHOTO
    assert (type(again), hash(again)) == (Address, hash(PHOTO))
    assert sorted([PHOTO, Address("s3://bucket/a.jpg")])[0].name == "a.jpg"


@pytest.mark.parametrize("text", ["a.jpg", "/a/b.jpg", "s3:/a", "s3", "-", "C:\\a", "c://a", "", "./s3://a"])
def test_paths_stay_paths(text):
    assert type(parse_path(text)) is type(Path(text))


@pytest.mark.parametrize("text", ["s3://a/b", "gs://a", "https://host/a.jpg?x=1", "memory://a", "ftp://a/b"])
def test_what_has_a_scheme_is_an_address(text):
    assert isinstance(parse_path(text), Address)
    assert str(parse_path(text)) == text


def test_local_photos_import_nothing_for_stores(portrait):
    code = (
        "import sys; from pathlib import Path; from symface_cli.batch.targets import choose_targets;"
        f"choose_targets([Path({str(portrait)!r})], 'out/').prepare_folder();"
        "print([name for name in ('fsspec', 's3fs', 'aiohttp', 'symface_cli.storage.objects') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.stdout == "[]\n"
