"""What a network learns from."""

import pytest
import torch

from symface_cli.network.builder import build_network
from tests.small import SMALL


def test_looking_things_up_beyond_the_frame_is_led_back():
    """The border has no gradient of its own: without this, what is pushed out stays outside."""
    network = build_network(SMALL).train()
    with torch.no_grad():
        network.localizer.fine_maps.bias.view(17, 17, 3)[0, :, 1] = -1.0  # the first row up by 0.15
    found = network.localizer(torch.rand(2, 3, 160, 160))
    assert found.outside.item() == pytest.approx(0.15 * 17 / (17 * 17 * 2), rel=1e-3)
    found.outside.backward()
    gradient = network.localizer.fine_maps.bias.grad.view(17, 17, 3)
    assert (gradient[0, :, 1] < 0).all()
    assert not gradient[1:].any()
