"""Facial landmarks: the 68-point scheme and what finds them. Used to train and to compare, never to symmetrize."""
