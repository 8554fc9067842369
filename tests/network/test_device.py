"""Choosing a device."""

import pytest
import torch

from symface_cli.errors import UsageError
from symface_cli.network import device
from symface_cli.network.device import choose_device, limit_threads


def test_auto_takes_cuda_only_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:3", "mps", "tpu", "", "cuda:x", "meta"])
def test_a_device_that_is_missing_or_unknown_is_a_usage_error(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=f"^device {name}: "):
        choose_device(name)


def test_numbers_below_the_count_of_cuda_devices_are_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UsageError, match="2 CUDA devices"):
        choose_device("cuda:2")


@pytest.mark.parametrize(("cores", "expected"), [(2, 2), (3, 3), (64, 3)])
def test_torch_has_no_more_threads_than_the_container_has_cores(monkeypatch, cores, expected):
    before = torch.get_num_threads()
    monkeypatch.setattr(device, "available_cores", lambda: cores)
    torch.set_num_threads(3)
    limit_threads()
    found = torch.get_num_threads()
    torch.set_num_threads(before)
    assert found == expected
