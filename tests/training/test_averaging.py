"""The running mean of a network's weights."""

import torch

from symface_cli.network.builder import build_network
from symface_cli.training.averaging import FIRST, STRIDE, RunningMean
from tests.small import SMALL

DECAY = 0.999


def test_the_mean_follows_the_network_fast_at_first_and_slowly_later():
    network = build_network(SMALL)
    name = "encoder.statistics.weight"
    mean = RunningMean(network, DECAY)
    start = network.state_dict()[name].clone()
    with torch.no_grad():
        network.encoder.statistics.weight.add_(1)
    mean.update(network)
    assert torch.allclose(mean.network.state_dict()[name], start + 0.9, atol=1e-6)  # 1 / 10 of before
    mean.steps = 10**6
    for _ in range(STRIDE):
        mean.update(network)
    left = 0.1 * DECAY**STRIDE
    assert torch.allclose(mean.network.state_dict()[name], start + 1 - left, atol=1e-6)


def test_the_mean_of_a_line_is_as_many_steps_behind_with_strides_as_without():
    """Of weights that grow by 1 a step, an exponential mean lags by decay / (1 - decay) = 9 steps."""
    network = build_network(SMALL)
    weight = network.encoder.statistics.weight
    mean = RunningMean(network, 0.9)
    start = weight.detach().clone()
    for _ in range(FIRST + 20 * STRIDE):
        with torch.no_grad():
            weight.add_(1)
        mean.update(network)
    lag = mean.steps - float((mean.network.encoder.statistics.weight - start).mean())
    assert 9 - STRIDE < lag < 9 + STRIDE


def test_batch_statistics_are_averaged_and_counts_taken_over():
    network = build_network(SMALL).train()
    mean = RunningMean(network, DECAY)
    network.localizer.guess(torch.rand(2, 3, 160, 160))
    mean.update(network)
    found, last = mean.network.state_dict(), network.state_dict()
    counts = [name for name in last if name.endswith("num_batches_tracked") and last[name] == 1]
    assert counts
    for name in counts:
        assert found[name] == 1
        running = name.replace("num_batches_tracked", "running_mean")
        assert torch.allclose(found[running], 0.9 * last[running], atol=1e-6)


def test_the_mean_neither_learns_nor_normalizes_with_the_batch():
    mean = RunningMean(build_network(SMALL).train(), DECAY)
    assert not mean.network.training
    assert not any(parameter.requires_grad for parameter in mean.network.parameters())
