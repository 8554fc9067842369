"""Face recognizers: networks that tell whether two pictures show the same person."""
