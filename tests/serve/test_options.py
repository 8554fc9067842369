"""Fields of requests: the same names and refusals as the command line's options."""

import json

import pytest

from symface_cli.errors import UsageError
from symface_cli.rendering.options import Output
from symface_cli.serve.app import ACTIONS
from symface_cli.serve.openapi import describe_api
from symface_cli.serve.options import read_measuring, read_symmetrizing
from symface_cli.serve.work.studio import Upload
from tests.test_surface import OPTIONS

UPLOAD = Upload(b"", "a.jpg")
OF_THE_SERVER = {"marks", "screen", "format"}  # what a page needs, and the suffix of a result, which here has no name


@pytest.mark.parametrize("action", ["symmetrize", "measure"])
def test_fields_are_options_of_the_command_line(action: str) -> None:
    schema = describe_api()["paths"][f"/api/{action}"]["post"]["requestBody"]["content"]["multipart/form-data"][
        "schema"
    ]
    options = {option.removeprefix("--").replace("-", "_") for option in OPTIONS[action].split()}
    fields = set(schema["properties"]) - {"photo"} - OF_THE_SERVER
    assert fields - options == ({"output"} if action == "measure" else set())


def test_the_document_names_every_address_and_is_json() -> None:
    document = describe_api()
    assert json.loads(json.dumps(document)) == document
    kept = {f"/api/photos/{{key}}{rest}" for rest in ["", *(f"/{action}" for action in ACTIONS)]}
    assert set(document["paths"]) == {"/api/health", "/api/photos", *kept, *(f"/api/{action}" for action in ACTIONS)}


def test_options_mean_what_they_mean_on_the_command_line() -> None:
    job = read_symmetrizing(
        UPLOAD,
        {
            "output": ["face", "crop", "compare", "face"],
            "shape": ["0.5"],
            "color": ["-1"],
            "side": ["left"],
            "detail": ["false"],
            "pose": ["front"],
            "size": ["64"],
            "background": ["#010203"],
            "faces": ["largest"],
            "format": [".png"],
        },
    )
    options = job.options
    assert options.outputs == (Output.FACE, Output.CROP, Output.COMPARE)
    assert (options.amounts.shape, options.amounts.color, options.amounts.side) == (0.5, -1, "left")
    assert (options.detail, options.pose, options.size, options.background) == (False, "front", 64, (1, 2, 3))
    assert (job.choice.selection.number, job.suffix, job.screen) == (1, ".png", None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"shape": "9"}, "shape 9: use a number from -3 to 3"),
        ({"shape": "nan"}, "shape nan: use a number"),
        ({"shape": "much"}, "shape much: use a number"),
        ({"side": "up"}, "side up: use both, left, right"),
        ({"detail": "perhaps"}, "detail perhaps: use true or false"),
        ({"output": "face", "size": "10.5"}, "size 10.5: use a whole number"),
        ({"output": "face", "size": "99999"}, "size 99999: use a whole number from 16 to 4096"),
        ({"size": "64"}, "size needs output face"),
        ({"continuum": "0:1"}, "continuum 0:1: use FROM:TO:STEP"),
        ({"output": "face", "background": "transparent", "gif": "true"}, "background transparent does not go with gif"),
        ({"eyes": "1,2,3"}, "eyes 1,2,3: use four numbers"),
        ({"eyes": "0,0,90,0", "faces": "1"}, "faces does not go with eyes"),
        ({"box": "0,0,90,90", "min_face": "20"}, "min_face does not go with box"),
        ({"faces": "0"}, "faces 0: use all, largest, or a number from 1"),
        ({"format": ".gif"}, "format .gif: use"),
        ({"marks": "{"}, "marks: "),
        ({"marks": "[1]"}, "marks: each is an object"),
        ({"marks": "[{}]"}, "marks: each needs a number or eyes"),
        ({"marks": '[{"number": true}]'}, "marks: number True"),
        ({"marks": '[{"number": 1, "eyes": [1, 2]}]'}, "marks: eyes 1,2: use four numbers"),
        ({"marks": '[{"number": 1, "eyes": "1,2"}]'}, "marks: eyes needs four numbers"),
        ({"marks": '[{"number": 1}]', "faces": "1"}, "faces does not go with marks"),
        ({"weights": "/etc/passwd"}, "weights: no such field"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(given: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as failure:
        read_symmetrizing(UPLOAD, {name: [value] for name, value in given.items()})
    assert str(failure.value).startswith(told)
    assert "\n" not in str(failure.value)
    assert "--" not in str(failure.value)


def test_measuring_is_refused_alike() -> None:
    with pytest.raises(UsageError, match="iris_mm goes with scale iris"):
        read_measuring(UPLOAD, {"iris_mm": ["12"]})
    with pytest.raises(UsageError, match="scale ell"):
        read_measuring(UPLOAD, {"scale": ["ell"]})
    assert read_measuring(UPLOAD, {"raw": ["true"], "sides": ["viewer"]}).convention.raw
