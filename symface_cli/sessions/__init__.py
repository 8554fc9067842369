"""Photos of people at several dates, in several poses: what is measured compared, as tables and as a page."""
