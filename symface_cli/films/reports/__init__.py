"""What was measured in a film, written and drawn: tables, text, a chart, a page."""
