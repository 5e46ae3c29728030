# SPDX-License-Identifier: Apache-2.0
"""Names of any length are shown demangled; names made to keep a demangler busy are given up."""

import json
import pathlib
import time

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"


def demangled(ttitrace, name):
    done = ttitrace("explain", "--json", name, timeout=60)
    assert done.returncode == 0
    return json.loads(done.stdout)["demangled"]


def long_names():
    lines = (GOLDEN / "kernel_names.tsv").read_text(encoding="utf-8").splitlines()
    names = (line.split("\t")[0] for line in lines[1:])
    return [name for name in names if name.startswith("_Z") and len(name) > 1000]


def seq_id(i):
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    if i == 0:
        return "S_"
    i -= 1
    return f"S{digits[i // 36] if i >= 36 else ''}{digits[i % 36]}_"


def nested_tuple(depth):
    """std::tuple<int, ...> within each other, every part written out: long, as CUTLASS's are."""
    name = "i"
    for i in range(depth):
        name = f"N3abc{6 + len(str(i))}layout{i}I{name}Li{i}EEE"
    return f"_Z6kernelIN7cutlass4gemm6kernelE{name}EvT_T0_"


def test_long_names_of_real_kernels_are_demangled(ttitrace):
    names = long_names()
    assert len(names) >= 5
    for name in names:
        assert demangled(ttitrace, name).startswith("void ")


@pytest.mark.parametrize("depth", [10, 100, 300])
def test_a_name_of_many_levels_is_demangled(ttitrace, depth):
    name = nested_tuple(depth)
    text = demangled(ttitrace, name)
    assert text.startswith("void kernel<cutlass::gemm::kernel, abc::layout")
    assert text.count("abc::layout0<int, 0>") == 2


def test_a_name_of_eight_kilobytes_is_demangled(ttitrace):
    arguments = "".join(f"N7cutlass5shapeILi{i}ELi{i}EEE" for i in range(300))
    name = f"_Z6kernelI{arguments}Evv"
    assert 8000 < len(name) < 9000
    assert "cutlass::shape<299, 299>" in demangled(ttitrace, name)


def test_a_text_without_end_is_given_up(ttitrace):
    name = "_Z1f1aI" + "iE"
    for i in range(60):
        name += "1aI" + seq_id(i) + seq_id(i) + "E"
    assert demangled(ttitrace, name)


def hostile_function_types(depth):
    """Each function type takes the one before twice: looking for a pack in it visits 2^depth."""
    inner = "FiiE"
    for i in range(depth):
        inner = f"F{inner}{seq_id(1 + i)}E"
    return "_Z1fIJiEEvDp" + inner


def test_a_search_without_end_is_given_up(ttitrace):
    name = hostile_function_types(40)
    begin = time.monotonic()
    assert demangled(ttitrace, name) == name
    assert time.monotonic() - begin < 20


def test_many_searches_without_end_are_given_up_together(ttitrace):
    names = [hostile_function_types(depth) for depth in range(40, 240)]
    begin = time.monotonic()
    done = ttitrace("explain", "-", input="\n".join(names), timeout=120)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(names)
    assert time.monotonic() - begin < 60


HOSTILE = {
    "pointers": "_Z1f" + "P" * 16000 + "i",
    "arrays": "_Z1f" + "A_" * 8000 + "i",
    "functions": "_Z1f" + "F" * 5000 + "i" + "iE" * 5000,
    "names": "_ZN" + "1a" * 8000 + "E",
    "templates": "_Z1f" + "1aI" * 4000 + "i" + "E" * 4000,
    "locals": "_Z" + "Z1fv" * 2600 + "E1gv" * 1300,
    "conversions": "_ZN1a" + "cvT_I" * 3000 + "iE" * 100,
    "expressions": "_Z1fIiEvDTcl" + "plT_" * 4000 + "E",
    "literals": "_Z1fIL_Z" * 2000,
    "guards": "_Z" + "GV" * 8000 + "1f",
    "qualifiers": "_Z1f" + "U3abc" * 3200 + "i",
    "references": "_Z1fIiEv" + "RT_1aIT_E" * 1700,
    "longer": "_Z1f" + "P" * 100000 + "i",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_names_that_nest_without_end_do_no_harm(ttitrace, name):
    assert demangled(ttitrace, name)
