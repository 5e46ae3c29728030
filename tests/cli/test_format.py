# SPDX-License-Identifier: Apache-2.0
"""FORMAT.md says what the tables say."""

import pathlib
import re

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include" / "ttitrace"
FORMAT = (INCLUDE / "FORMAT.md").read_text(encoding="utf-8")


def documented_records():
    """{(id, name): [field or column, ...]} in the order of FORMAT.md."""
    records = {}
    for section in re.split(r"^### ", FORMAT, flags=re.M)[1:]:
        title = re.match(r"(\d+) `(\w+)`: (.*)", section)
        if title:
            body = section.split("\n## ")[0]
            records[int(title[1]), title[2]] = re.findall(r"^\| `(\w+)` \|", body, flags=re.M)
    return records


def defined_records():
    text = (INCLUDE / "records.def").read_text(encoding="utf-8")
    records = {}
    for identifier, name, body in re.findall(
        r"^(?:ROW|BATCH)\((\d+), \w+, (\w+), .*?\)\n(.*?)^END", text, flags=re.M | re.S
    ):
        records[int(identifier), name] = re.findall(
            r"^(?:FIELD|COLUMN)\(\w+, (\w+),", body, flags=re.M
        )
    return records


def test_every_record_and_field_is_documented_in_order():
    assert len(defined_records()) > 15
    assert list(documented_records().items()) == list(defined_records().items())


def test_types_and_transforms_are_documented():
    text = (INCLUDE / "records.def").read_text(encoding="utf-8")
    for field, kind in re.findall(r"^(?:FIELD|COLUMN)\(\w+, (\w+), (\w+),", text, flags=re.M):
        assert re.search(rf"^\| `{field}` \| {kind} \|", FORMAT, flags=re.M), field


def test_every_number_is_documented_in_order():
    text = (INCLUDE / "enums.def").read_text(encoding="utf-8")
    defined = re.findall(r'^TTI_\w+\((\d+), \w+, "([^"]*)", (?:(\d), )?"', text, flags=re.M)
    assert len(defined) > 20
    documented = re.findall(r"^\| (\d+) \| `([^`]*)` \| (?:(yes|no|detail) \| )?", FORMAT, flags=re.M)
    assert documented == [
        (number, name, {"2": "detail", "1": "yes", "0": "no", "": ""}[loss]) for number, name, loss in defined
    ]


def test_limits_are_documented():
    header = (INCLUDE / "format.h").read_text(encoding="utf-8")
    assert "(16u << 20)" in header and "16,777,216" in FORMAT
    assert "TTI_BATCH_ROWS_MAX    65536u" in header and "65,536 rows" in FORMAT
    assert "TTI_KEYED_SLOTS       4096u" in header and "4,096 slots" in FORMAT
    assert "0x184D2A54u" in header and "0x184D2A54" in FORMAT


def test_the_version_is_documented():
    header = (INCLUDE / "format.h").read_text(encoding="utf-8")
    major = re.search(r"TTI_FORMAT_MAJOR (\d+)", header)[1]
    minor = re.search(r"TTI_FORMAT_MINOR (\d+)", header)[1]
    assert FORMAT.startswith(f"# The trace format, version {major}.{minor}\n")


def test_fields_that_say_they_are_ids_are_checked():
    """A field whose meaning begins with the name of a record must stand in references.def."""
    text = (INCLUDE / "records.def").read_text(encoding="utf-8")
    references = (INCLUDE.parents[1] / "analyzer" / "references.def").read_text(encoding="utf-8")
    spaces = "|".join(re.findall(r"^SPACE\((\w+)\)", references, flags=re.M))
    fields = re.findall(
        rf'^(?:FIELD|COLUMN)\((\w+), (\w+), \w+, "(?:{spaces}|library call)\b', text, flags=re.M
    )
    assert len(fields) > 15
    for record, field in fields:
        # Columns `template` are counted where rows are added up; `id` defines.
        if (record, field) not in (("host", "template"), ("gpu", "template")) and field != "id":
            assert re.search(rf"REFERS\(\w+, {record}, {field},", references), (record, field)
