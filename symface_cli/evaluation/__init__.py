"""How well symmetric faces keep the person."""
