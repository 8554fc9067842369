"""What `symface measure` does: with photos, with sessions of them, and with films."""
