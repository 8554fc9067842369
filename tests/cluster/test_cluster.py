"""A Ray cluster on this machine: a head and two nodes, a photo that kills workers, a node that goes away."""

import json
import logging
import os
from collections import Counter
from functools import partial

import pytest

from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.cluster import job
from symface_cli.cluster.connection import ClusterSettings, connected
from symface_cli.cluster.spreading import Cluster
from symface_cli.errors import UsageError
from tests.batch.planners import DarkPhotos, save_gray
from tests.cluster.poisonous import POISON, load

COUNT = 30
MEMORY = 300 << 20  # bytes of each node's object store; with less, Ray makes no progress


def save_photos(folder, count):
    for number in range(count):
        save_gray(folder / f"{number:03}.png", POISON if number == 17 else 90 + number)
    return folder


def recorded(out):
    """The photos of the manifest, and their statuses."""
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    return Counter(line["input"].rpartition("/")[2] for line in lines), Counter(line["status"] for line in lines)


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """What `connected` sets before Ray is imported, as these tests do first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        patch.setenv("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
        yield


@pytest.fixture(scope="module")
def nodes(quiet):
    """The cluster, with one core on each node, and the nodes beside its head."""
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    from ray.cluster_utils import Cluster as RayCluster

    cluster = RayCluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False},
    )
    added = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    yield cluster, added
    ray.shutdown()
    cluster.shutdown()


def run(photos, out, resume, progress=lambda done, total: None, workers=2):
    targets = choose_targets([photos], str(out))
    begin = partial(load, photos.parent)
    with connected(ClusterSettings("auto", workers)) as crew:
        cluster = Cluster(crew=crew, folder=out, resume=resume)
        batch = Batch(
            DarkPhotos(), targets, BatchOptions(resume=resume), lambda *work: cluster.symmetrize(begin, work, progress)
        )
        return list(batch.run())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_poisonous_photo_and_a_lost_node_cost_nothing_else(nodes, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(job, "BLOCKS_EACH", 3)  # so that blocks are of several photos
    cluster, added = nodes
    photos, out = save_photos(tmp_path / "in", COUNT), tmp_path / "out"
    killed = []

    def progress(done, total):
        assert total == COUNT
        working = [node for node in added if (tmp_path / node.node_id).exists()]
        if done >= 5 and working and not killed:
            killed.append(working[0])
            cluster.remove_node(killed[0], allow_graceful=False)

    outcomes = run(photos, out, resume=False, progress=progress)
    assert killed
    assert Counter(outcome.status for outcome in outcomes) == {0: COUNT - 1, 1: 1}
    (lost,) = [outcome for outcome in outcomes if outcome.error is not None]
    assert lost.photo.name == "017.png"
    assert "has killed 2 workers" in str(lost.error)
    again = run(photos, out, resume=True, workers=1)
    assert [outcome.photo.name for outcome in again] == ["017.png"]  # and it kills no worker any more
    names, statuses = recorded(out)
    assert (set(names.values()), len(names), statuses) == ({1}, COUNT, {0: COUNT - 1, 1: 1})
    whole = tmp_path / "whole"
    (photos / "017.png").unlink()
    list(Batch(DarkPhotos(), choose_targets([photos], str(whole)), BatchOptions(jobs=1)).run())
    results = {path.name: path.read_bytes() for path in out.glob("*.symmetric.png")}
    assert results == {path.name: path.read_bytes() for path in whole.glob("*.symmetric.png")}
    hidden = [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert [name for name in hidden if not name.startswith(".symface-")] == []  # that of a node killed while it wrote
    assert capfd.readouterr().out == ""


def test_more_workers_than_the_cluster_has_room_for_are_refused(nodes):
    with pytest.raises(UsageError, match="room for"), connected(ClusterSettings("auto", 99)):
        pass


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("symmetrize in", "a cluster needs a place for results"),
        ("symmetrize in -o out/ --jobs 2", "--jobs does not go with a cluster"),
        ("symmetrize in -o out/ --shard 1/2", "--shard does not go with a cluster"),
        ("symmetrize in/000.png -o x.png", "a cluster needs a place for results"),
        ("measure in", "a cluster needs a place for results"),
        ("measure in --csv -", "a cluster needs a place for results"),
    ],
)
def test_what_a_cluster_cannot_do_is_a_usage_error(symface, tmp_path, line, reason):
    save_photos(tmp_path / "in", 1)
    finished = symface("cluster", *line.split())
    assert finished.status == 2
    assert reason in finished.err
    assert finished.err.count("\n") == 1


def test_a_cluster_that_is_not_there_is_a_line(symface, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def refuse(*_, **__):
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(ray, "init", refuse)
    save_photos(tmp_path / "in", 1)
    finished = symface("cluster", "symmetrize", "in", "-o", "out/")
    assert finished.status == 2
    assert finished.err == (
        "symface: no Ray cluster at auto (Could not find any running Ray instance.); start one, or use local\n"
    )
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
