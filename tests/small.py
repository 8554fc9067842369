"""Networks so small that a test can train them."""

from symface_cli.network.architecture import Architecture

SMALL = Architecture(
    latent=8,
    coarse_widths=(4, 4, 4, 4),
    fine_widths=(4, 4, 4, 4, 4),
    parser_widths=(4, 8),
    encoder_widths=(8, 8, 8, 8),
    hidden=(8, 8),
)
SMALL_PAPER = Architecture(kind="paper", latent=8, encoder_widths=(4, 4, 4, 4, 4))
