"""Many photos: their names, the workers, the record, the report."""
