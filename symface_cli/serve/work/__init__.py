"""What is done with photos, in processes of its own: one that dies takes nothing with it but the photo it was at."""
