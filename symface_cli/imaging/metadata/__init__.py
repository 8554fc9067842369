"""What a picture file says beside its pixels."""
