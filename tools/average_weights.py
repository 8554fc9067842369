"""Average two weights files of one stage tensor by tensor ("model soup", Wortsman et al. 2022).

    python tools/average_weights.py FIRST SECOND OUT --first-share 0.3

The weights of versions 0.1 and 0.2 are 0.3 of a training's stage 3 and 0.7 of a finishing run that started from it.
"""

import argparse
from pathlib import Path

from torch import nn

from symface_cli.errors import OutputError
from symface_cli.network.weights import load_weights, save_weights
from symface_cli.writing import Destination, Inputs, prepare_files


def average(first: nn.Module, second: nn.Module, first_share: float) -> None:
    """Move the floating-point tensors of `second` to the mean of both; counters stay as they are."""
    others = first.state_dict()
    for name, tensor in second.state_dict().items():
        if tensor.is_floating_point():
            tensor.lerp_(others[name], first_share)


def main() -> None:
    """Read two weights files and write their mean."""
    parser = argparse.ArgumentParser(description="Average two weights files of one stage, tensor by tensor.")
    parser.add_argument("first", type=Path, metavar="FIRST")
    parser.add_argument("second", type=Path, metavar="SECOND")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--first-share", type=float, default=0.5, help="share of FIRST in the mean (default: 0.5)")
    arguments = parser.parse_args()
    try:
        prepare_files([Destination(arguments.out, replace=False)], Inputs([arguments.first, arguments.second]))
    except OutputError as error:
        parser.error(str(error))
    first, second = load_weights(arguments.first), load_weights(arguments.second)
    if first.stage != second.stage or first.network.architecture != second.network.architecture:
        parser.error("the two files are of different stages or architectures")
    average(first.network, second.network, arguments.first_share)
    save_weights(arguments.out, second.network, second.stage)


if __name__ == "__main__":
    main()
