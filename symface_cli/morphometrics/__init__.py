"""Asymmetry of a sample of people: their landmarks superimposed, directional and fluctuating asymmetry, ANOVA."""
