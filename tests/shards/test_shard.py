"""Photos fall to parts by a hash of their names: always the same ones, and each to one."""

import hashlib
from pathlib import Path

import pytest

from symface_cli.errors import UsageError
from symface_cli.shards.shard import Shard, find_others, parse_shard, split_name

NAMES = [
    f"{folder}/{number}.jpg" for folder in ("Ada", "Jos\N{LATIN SMALL LETTER E WITH ACUTE}") for number in range(50)
]


@pytest.mark.parametrize("count", [1, 3, 7, 1000])
def test_each_photo_falls_to_one_part(count):
    parts = [Shard(number, count) for number in range(1, count + 1)]
    assert all([part.has(name) for part in parts].count(True) == 1 for name in NAMES)


def test_the_part_is_the_hash_of_the_name():
    digest = hashlib.sha256(b"Ada/1.jpg").hexdigest()
    assert digest.startswith("9a16a5ba0ae49ced")  # sha256sum says so
    assert Shard(int(digest[:16], 16) % 7 + 1, 7).has("Ada/1.jpg")
    assert Shard(1, 1).has("\udce9.jpg")  # what is not UTF-8 has a hash, too


def test_files_of_parts_are_named_after_the_whole():
    assert Shard(2, 7).path(Path("out/manifest.jsonl")) == Path("out/manifest.2-of-7.jsonl")
    assert split_name("manifest.2-of-7.jsonl") == ("manifest.jsonl", Shard(2, 7))
    assert [split_name(name) for name in ("manifest.jsonl", "a.2-of-7.csv.part")] == [None, None]


def test_a_part_goes_on_from_the_whole_and_from_parts_of_another_number(tmp_path):
    for name in ("m.jsonl", "m.1-of-3.jsonl", "m.2-of-3.jsonl", "m.1-of-7.jsonl", "x.1-of-7.jsonl", "m.1-of-7.csv"):
        (tmp_path / name).touch()
    whole = tmp_path / "m.jsonl"
    assert find_others(whole, Shard(1, 3)) == [whole, tmp_path / "m.1-of-7.jsonl"]
    assert [path.name for path in find_others(whole, None)] == ["m.1-of-3.jsonl", "m.1-of-7.jsonl", "m.2-of-3.jsonl"]


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "1/0", "1", "a/b", "-1/3", "1/3/5", "", "1/99999999", "Slurm", "\u0661/3"]
)
def test_what_names_no_part_is_refused(text):
    with pytest.raises(UsageError, match="use I/N with I from 1 to N"):
        parse_shard(text, {})


def array(task, count, first, last, step=1):
    values = {"ID": task, "COUNT": count, "MIN": first, "MAX": last, "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("variables", "shard"),
    [
        (array(0, 7, 0, 6), Shard(1, 7)),
        (array(7, 7, 1, 7), Shard(7, 7)),
        (array(10, 3, 4, 10, 3), Shard(3, 3)),
        (array(5, 1, 5, 5), Shard(1, 1)),
    ],
)
def test_a_task_of_an_array_has_the_part_of_its_place(variables, shard):
    assert parse_shard("slurm", variables) == shard


@pytest.mark.parametrize(
    "variables", [{}, {"SLURM_ARRAY_TASK_ID": "3"}, array("x", 3, 1, 3), array(2, 3, 1, 7), array(9, 3, 1, 3)]
)
def test_a_task_without_a_place_is_refused(variables):
    with pytest.raises(UsageError, match="use I/N"):
        parse_shard("slurm", variables)
