"""Options from a configuration file and from environment variables."""

import pytest

from symface_cli.cli.config import Kind, find_config, read_config, variable_of
from symface_cli.errors import UsageError
from tests.users import modes, ordinary_user, shared_folder

COMMANDS = {
    "draw": {"force": Kind.SWITCH, "width": Kind.VALUE, "batch-size": Kind.VALUE, "color": Kind.VALUES},
    "print": {"copies": Kind.VALUE},
}


@pytest.fixture
def folder(working_folder):
    return working_folder


def write(folder, text, name="symface.toml"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# ---- the file alone


def test_values_come_by_command_and_option(folder):
    path = write(
        folder, '[draw]\nforce = true\nwidth = "wide"\nbatch-size = 3\ncolor = ["red", 7]\n[print]\ncopies=0.5'
    )
    assert read_config(path, COMMANDS) == {
        "draw": {"force": True, "width": "wide", "batch-size": 3, "color": ["red", 7]},
        "print": {"copies": 0.5},
    }


def test_one_value_is_a_list_of_one(folder):
    path = write(folder, '[draw]\ncolor = "red"')
    assert read_config(path, COMMANDS) == {"draw": {"color": ["red"]}}


def test_a_file_of_comments_gives_nothing_and_a_byte_order_mark_is_no_matter(folder):
    assert read_config(write(folder, "\ufeff# nothing\n"), COMMANDS) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[drav]\nforce = true", r"symface\.toml: \[drav\]: no such command; did you mean draw\?"),
        ("[xyz]\n", r"\[xyz\]: no such command; there are draw, print"),
        ("[draw]\nforse = true", r"\[draw\] forse: no such option; did you mean force\?"),
        ("[draw]\nbatch_size = 1", r"\[draw\] batch_size: no such option; did you mean batch-size\?"),
        ("[draw]\ncopies = 1", r"\[draw\] copies: no such option; there are force, width, batch-size, color"),
        ("force = true", r"symface\.toml: force: options go into tables of commands"),
        ("[draw]\nforce = 1", r"\[draw\] force: expected true or false"),
        ('[draw]\nforce = "true"', r"\[draw\] force: expected true or false"),
        ("[draw]\nwidth = true", r"\[draw\] width: expected text or a number"),
        ("[draw]\nwidth = [1]", r"\[draw\] width: expected text or a number"),
        ("[draw]\nwidth = 2026-01-01", r"\[draw\] width: expected text or a number"),
        ("[draw.width]\nx = 1", r"\[draw\] width: expected text or a number"),
        ("[draw]\ncolor = [[1]]", r"\[draw\] color: expected texts or numbers in a list"),
        ("[draw]\ncolor = true", r"\[draw\] color: expected texts or numbers in a list"),
        ("[draw\n", r"symface\.toml: not a TOML file"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_key_and_what_would_fit(folder, text, told):
    with pytest.raises(UsageError, match=told):
        read_config(write(folder, text), COMMANDS)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(folder, content):
    path = folder / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read_config(path, COMMANDS)


def test_a_named_file_goes_before_that_of_the_working_folder(folder):
    assert find_config(None) is None
    own = write(folder, "")
    assert find_config(None).resolve() == own
    assert find_config(folder / "other.toml") == folder / "other.toml"


def test_a_folder_above_is_not_looked_into(folder, monkeypatch):
    write(folder, "")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert find_config(None) is None


def test_a_variable_is_named_after_its_command_and_option():
    assert variable_of("train", "batch-size") == "SYMFACE_TRAIN_BATCH_SIZE"


# ---- the command line; --faces shows which value arrives, since a wrong one is refused with its text


def value_of_faces(finished):
    assert finished.status == 2
    told = finished.err.split()
    return told[told.index("--faces") + 1].rstrip(":")


def test_command_line_goes_before_variable_before_file_before_default(symface, folder, portrait, monkeypatch):
    write(folder, '[symmetrize]\nfaces = "of-file"')
    assert value_of_faces(symface("symmetrize", portrait)) == "of-file"
    monkeypatch.setenv("SYMFACE_SYMMETRIZE_FACES", "of-variable")
    assert value_of_faces(symface("symmetrize", portrait)) == "of-variable"
    assert value_of_faces(symface("symmetrize", portrait, "--faces", "of-command-line")) == "of-command-line"


def test_config_option_goes_before_its_variable_before_the_working_folder(symface, folder, portrait, monkeypatch):
    write(folder, '[symmetrize]\nfaces = "here"')
    for name in ("option", "variable"):
        write(folder, f'[symmetrize]\nfaces = "{name}"', f"{name}.toml")
    assert value_of_faces(symface("symmetrize", portrait)) == "here"
    monkeypatch.setenv("SYMFACE_CONFIG", "variable.toml")
    assert value_of_faces(symface("symmetrize", portrait)) == "variable"
    assert value_of_faces(symface("--config", "option.toml", "symmetrize", portrait)) == "option"


def test_only_the_table_of_the_command_counts(symface, folder, portrait):
    write(folder, '[symmetrize]\nfaces = "of-symmetrize"\n[train]\nstage = 2\n[evaluate]\nmethod = ["of-evaluate"]')
    assert value_of_faces(symface("symmetrize", portrait)) == "of-symmetrize"
    finished = symface("evaluate", folder)
    assert finished.status == 2
    assert "of-evaluate" in finished.err


@pytest.mark.parametrize("source", ["file", "variable"])
def test_long_names_are_used_and_required_options_can_come_from_elsewhere(symface, folder, monkeypatch, source):
    if source == "file":
        write(folder, "[train]\nstage = 1\nbatch-size = 64\nlr = 2.5")
    else:
        for name, value in (("STAGE", "1"), ("BATCH_SIZE", "64"), ("LR", "2.5")):
            monkeypatch.setenv(f"SYMFACE_TRAIN_{name}", value)
    finished = symface("train", folder)
    assert finished.status == 2
    assert "--lr 2.5" in finished.err  # refused by the command itself, which needs --stage


@pytest.mark.parametrize(("value", "status"), [("1", 0), ("true", 0), ("0", 3), ("", 3)])
def test_a_switch_is_given_by_a_variable(symface, folder, portrait, monkeypatch, value, status):
    photo = folder / "photo.jpg"
    photo.write_bytes(portrait.read_bytes())
    (folder / "face.png").write_text("mine")
    monkeypatch.setenv("SYMFACE_SYMMETRIZE_FORCE", value)
    finished = symface("symmetrize", photo, "--output", "face", "-o", folder / "face.png")
    assert finished.status == status, finished.err
    assert ((folder / "face.png").read_bytes() == b"mine") == (status == 3)


def test_a_repeatable_option_is_given_by_a_list_or_by_a_variable_with_spaces(symface, folder, monkeypatch):
    write(folder, '[evaluate]\nmethod = ["vae", "second"]')
    assert "unknown method second" in symface("evaluate", folder).err
    monkeypatch.setenv("SYMFACE_EVALUATE_METHOD", "vae third")
    assert "unknown method third" in symface("evaluate", folder).err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[symmetrise]\nforce = true", "symface.toml: [symmetrise]: no such command; did you mean symmetrize?"),
        ("[symmetrize]\nfrce = true", "symface.toml: [symmetrize] frce: no such option; did you mean force?"),
        ("[train]\nseed = true", "symface.toml: [train] seed: expected text or a number"),
        ('[symmetrize]\nforce = "yes"', "symface.toml: [symmetrize] force: expected true or false"),
        ('[symmetrize]\nside = "up"', "symface.toml: [symmetrize] Invalid value for '--side'"),
    ],
)
def test_mistakes_in_the_file_exit_2_with_one_line_that_names_it(symface, folder, portrait, text, told):
    write(folder, text)
    finished = symface("symmetrize", portrait)
    assert finished.status == 2
    assert finished.err.startswith(f"symface: {told}")
    assert finished.err.count("\n") == 1


def test_a_wrong_variable_is_named(symface, portrait, monkeypatch):
    monkeypatch.setenv("SYMFACE_SYMMETRIZE_SIDE", "up")
    finished = symface("symmetrize", portrait)
    assert finished.status == 2
    assert finished.err.startswith("symface: SYMFACE_SYMMETRIZE_SIDE: Invalid value")


def test_a_mistake_on_the_command_line_is_not_blamed_on_the_file(symface, folder, portrait):
    write(folder, '[symmetrize]\nside = "left"')
    finished = symface("symmetrize", portrait, "--side", "up")
    assert finished.err.startswith("symface: Invalid value for '--side'")


def test_help_shows_the_values_of_the_file_and_no_variable_per_option(symface, folder):
    write(folder, '[symmetrize]\nside = "left"')
    text = symface("symmetrize", "--help").out
    assert "[default: left]" in text
    assert "SYMFACE_SYMMETRIZE" not in text


def test_variables_of_other_meaning_are_no_options_of_symface(symface, monkeypatch):
    monkeypatch.setenv("SYMFACE_VERSION", "1.0")
    monkeypatch.setenv("SYMFACE_HELP", "1")
    finished = symface("doctor", "--bogus")
    assert finished.status == 2
    assert "--bogus" in finished.err


@modes
def test_a_working_folder_that_may_not_be_entered_has_no_file(monkeypatch):
    """A container that is run by any user may begin in root's folder."""
    with shared_folder() as folder:
        (folder / "private").chmod(0o700)
        monkeypatch.chdir(folder / "private")
        write(folder / "private", "[draw]")
        (folder / "private").chmod(0)
        with ordinary_user():
            assert find_config(None) is None
            assert find_config(folder) == folder
        monkeypatch.undo()
