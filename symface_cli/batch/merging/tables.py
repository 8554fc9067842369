"""One table of measurements of the tables of all parts."""

from pathlib import PurePath

from symface_cli.batch.tables import Format, read_table
from symface_cli.shards.parts import Parts
from symface_cli.writing import write_file


def merge_tables(parts: Parts, form: Format, replace: bool = False) -> str | None:
    """Write one table of all photos, sorted by their paths; return what a user should know, as `write_file` does.

    Raises:
        DataError: If the parts do not fit together.
        OutputError: If a file is no such table, or the one cannot be written, or is there and may not be lost.
    """
    tables = [read_table(file, form) for file in parts.files]
    parts.check_counts([rows.photo for rows in table] for table in tables)
    photos = sorted((rows for table in tables for rows in table), key=lambda rows: PurePath(rows.photo))
    return write_file(parts.whole, form.whole(photos), replace)
