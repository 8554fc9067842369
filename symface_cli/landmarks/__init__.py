"""Facial landmarks: their schemes and what finds them. Used to train and to compare, never to symmetrize."""
