"""One record in files as people save them: each is read as the same record, or refused with a fix that works.

The files are written by pandas or by hand, never by the csv module that reads them.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pandas as pd
import pytest

from nosograph.causal.abduction import PatientRecord, read_record
from nosograph.causal.model.load import load_model
from nosograph.errors import NosographError

MODEL = load_model("alzheimers")
PATIENT = 'Rosé, "ward 3"\nbed 2'
TABLE = pd.DataFrame(
    [
        [PATIENT, "", "age", 71.5, "a"],
        [PATIENT, "0", "mmse", 24.0, ""],
        [PATIENT, "6 months", "mmse", None, ""],
        [PATIENT, "1", "mmse", 22.25, ""],
        [PATIENT, "1", "hippocampal_volume_mri", 6100.0, "uL"],
        [PATIENT, "18 months", "aria_e", 1.0, ""],
        [PATIENT, "2", "death", 0.0, ""],
    ],
    columns=["patient", "time", "variable", "value", "unit"],
)


def save(delimiter: str = ",", decimal: str = ".", newline: str = "\n", quoting: Literal[0, 1] = 0) -> str:
    return TABLE.to_csv(index=False, sep=delimiter, decimal=decimal, lineterminator=newline, quoting=quoting)


def expected() -> PatientRecord:
    rows = [{"time": 0, "variable": "mmse", "value": 24}, {"time": 0.5, "variable": "mmse"}]
    rows += [{"time": 1, "variable": "mmse", "value": 22.25}]
    rows += [{"time": 1, "variable": "hippocampal_volume_mri", "value": 6.1, "unit": "mL"}]
    events = [{"time": 1.5, "event": "aria_e"}, {"time": 2, "event": "death", "happened": False}]
    return read(
        json.dumps({"patient": PATIENT, "statics": {"age": 71.5}, "record": rows, "events": events}).encode(), "r.json"
    )


def read(data: bytes, name: str = "r.csv") -> PatientRecord:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read_record(path, model=MODEL)


SAVED: dict[str, tuple[bytes, str]] = {
    "UTF-8": (save().encode(), "r.csv"),
    "UTF-8 with a mark": (save().encode("utf-8-sig"), "r.csv"),
    "UTF-16 LE with a mark": (b"\xff\xfe" + save().encode("utf-16-le"), "r.csv"),
    "UTF-16 BE with a mark": (b"\xfe\xff" + save().encode("utf-16-be"), "r.csv"),
    "UTF-32 LE with a mark": (b"\xff\xfe\0\0" + save().encode("utf-32-le"), "r.csv"),
    "tabs and a decimal comma, in UTF-16": (b"\xff\xfe" + save("\t", ",", "\r\n").encode("utf-16-le"), "r.TSV"),
    "semicolons and a decimal comma": (save(";", ",").encode(), "r.csv"),
    "semicolons and a decimal point": (save(";").encode(), "r.csv"),
    "tabs": (save("\t").encode(), "r.tsv"),
    "every cell quoted": (save(quoting=1).encode(), "r.csv"),
    "every cell quoted, semicolons": (save(";", ",", quoting=1).encode(), "r.csv"),
    "CRLF": (save(newline="\r\n").encode(), "r.csv"),
    "CR": (save(newline="\r").encode(), "r.csv"),
    "a name in upper case": (save().encode(), "R.CSV"),
    "blank rows": (save().replace(",a\n", ",a\n\n,,,,\n  \n").encode() + b"\n\n", "r.csv"),
    "blank rows before the header": (b"\n,,,,\n" + save().encode(), "r.csv"),
    "no line break at the end": (save().rstrip("\n").encode(), "r.csv"),
    "a first line that names the delimiter": (b"sep=;\r\n" + save(";", ",", "\r\n").encode(), "r.csv"),
    "spaces round names and cells": (
        save().replace("time,variable", " time , variable").replace("mmse,24.0", " mmse , 24.0 ").encode(), "r.csv"
    ),
    "empty columns at the end": (
        TABLE.assign(**{"a": None, "b": None}).rename(columns={"a": "", "b": ""}).to_csv(index=False).encode(), "r.csv"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", SAVED)
def test_a_saved_file_is_the_same_record(how: str) -> None:
    data, name = SAVED[how]
    ours, theirs = read(data, name), expected()
    assert ours.patient.splitlines() == theirs.patient.splitlines()
    assert set(ours.events) == set(theirs.events)
    assert [(o.variable, o.step) for o in ours.observations] == [(o.variable, o.step) for o in theirs.observations]
    assert [o.value for o in ours.observations] == pytest.approx([o.value for o in theirs.observations])


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "cp850", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_the_file_does_not_say_is_refused(encoding: str) -> None:
    data = save().encode(encoding)
    with pytest.raises(NosographError) as caught:
        read(data)
    (problem,) = caught.value.problems
    assert problem.fix.startswith("the file saved as UTF-8")
    assert read(data.decode(encoding).encode("utf-8")).patient == PATIENT


def test_a_latin_1_byte_is_named_with_its_line() -> None:
    with pytest.raises(NosographError, match=r"r\.csv:3: this is not UTF-8 text\n.*0xe9"):
        read("patient,time,variable,value\nA,0,mmse,24\nRosé,1,mmse,22\n".encode("latin-1"))


def test_a_spreadsheet_is_not_a_table_of_text(tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    with zipfile.ZipFile(book, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    for data in (book.read_bytes(), gzip.compress(save().encode())):
        with pytest.raises(NosographError, match="not text\n  write: its content exported as text"):
            read(data)


ROW = "time,variable,value\n0,mmse,24\n"
REFUSED = {  # the file, what the message says, and the file with its fix
    "a column twice": ("time,variable,value,value\n0,mmse,24,23\n", "'value' stands twice", ROW),
    "a column twice, with spaces": ("time,variable,value, value \n0,mmse,24,23\n", "columns 3 and 4", ROW),
    "a name in capitals": ("Time,variable,value\n0,mmse,24\n", "write: time", ROW),
    "a row too short": ("time,variable,value,unit\n0,mmse,24\n", "numbers of columns differ", ROW),
    "an index of pandas": (",time,variable,value\n0,0,mmse,24\n", "column 1 has a value, but no name", ROW),
    "pipes": ("time|variable|value\n0|mmse|24\n", "write: time,variable,value", ROW),
    "a quote that stays open": ('time,variable,value\n0,"mmse,24\n', "not CSV", ROW),
    "two worlds": ("world,time,variable,value\nfactual,0,mmse,24\ntreated,1,mmse,23\n", "one world only", ROW),
    "a patient without a name": ("patient,time,variable,value\nA,0,mmse,24\n,1,mmse,23\n", "(empty)", ROW),
    "two decimal marks": (
        "time;variable;value\n0;mmse;24,5\n1;mmse;23.5\n", "r.csv:3: some numbers", "time;variable;value\n0;mmse;24,5\n"
    ),
    "thousands, perhaps": (
        "time;variable;value;unit\n0;hippocampal_volume_mri;6,100;uL\n", "write: 6100 if it is in the thousands",
        "time;variable;value;unit\n0;hippocampal_volume_mri;6100;uL\n",
    ),
    "thousands between commas": (
        'time,variable,value,unit\n0,hippocampal_volume_mri,"6,100",uL\n', "write: 6100 if it is in the thousands",
        "time,variable,value,unit\n0,hippocampal_volume_mri,6.100,mL\n",
    ),
    "underscores": ("time,variable,value\n0,mmse,2_4\n", "write: 24, if that is meant", ROW),
    "a time with underscores": ("time,variable,value\n1_0,mmse,24\n", "not a time", ROW),
    "digits of another script": ("time,variable,value\n0,mmse,٢٤\n", "not a number", ROW),
    "digits of another script in a time": ("time,variable,value\n٦ months,mmse,24\n", "not a time", ROW),
    "a decimal comma": ('time,variable,value\n0,mmse,"24,5"\n', "write: 24.5", "time,variable,value\n0,mmse,24.5\n"),
    "a minus sign": ("time,variable,value\n0,mmse,\u221224\n", "write: -24", ROW),
    "an infinity": ("time,variable,value\n0,mmse,Infinity\n", "not a number", ROW),
    "a number too large": ("time,variable,value\n0,mmse,1e999\n", "not a finite number", ROW),
    "no": ("time,variable,value\n0,mmse,no\n", "write: a plain number", ROW),
    "true": ("time,variable,value\n0,mmse,TRUE\n", "write: a plain number", ROW),
    "a dash": ("time,variable,value\n0,mmse,-\n", "leave it empty if it is missing", "time,variable,value\n0,mmse,\n"),
    "an event that is not known": ("time,variable,value\n0,mmse,24\n1,aria_e,NA\n", "no row if it is unknown", ROW),
    "a static that is not known": ("time,variable,value\n0,mmse,24\n,age,NULL\n", "no row if it is unknown", ROW),
    "yes in another language": (
        "time,variable,value\n1,aria_e,wahr\n", "write: 1 or 0, yes or no", "time,variable,value\n1,aria_e,yes\n"
    ),
    "an event twice": ("time,variable,value\n1,aria_e,2\n", "write: 1 or 0", "time,variable,value\n1,aria_e,1\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_may_mean_two_things_is_refused_and_the_fix_works(what: str) -> None:
    text, message, fixed = REFUSED[what]
    with pytest.raises(NosographError) as caught:
        read(text.encode())
    assert message in str(caught.value)
    assert "write: " in str(caught.value)
    assert all(problem.line for problem in caught.value.problems)
    assert read(fixed.encode()).observations or read(fixed.encode()).events


def test_a_mistake_after_a_cell_of_two_lines_has_its_line() -> None:
    text = 'patient,time,variable,value\n"A\nB",0,mmse,24\n"A\nB",1,mmse,x\n'
    with pytest.raises(NosographError, match=r"r\.csv:4: mmse: not a number"):
        read(text.encode())
