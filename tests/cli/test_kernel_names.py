# SPDX-License-Identifier: Apache-2.0
"""ttitrace explain: kinds of real kernels' names, against labels that were made without it."""

import collections
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
TTITRACE = os.environ.get("TTITRACE", str(ROOT / os.environ.get("O", "build/release") / "ttitrace"))

# The operators that a kernel of each kind may run for.  A kernel of no kind here may serve any.
OPERATORS_OF = {
    "attention": {"attention"},
    "conv": {"convolution"},
    "embedding": {"embedding"},
    "gemm": {"attention", "convolution", "linear"},
    "group_norm": {"group_norm"},
    "layer_norm": {"layer_norm"},
    "layout": {"convolution", "memory"},
    "reduction": {"reduction", "sampling"},
    "resample": {"resample"},
    "sampling": {"sampling"},
    "softmax": {"attention", "softmax"},
}

Miss = collections.namedtuple("Miss", "name expected got reason")


def explain(*arguments, stdin=None):
    return subprocess.run(
        [TTITRACE, "explain", *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )


def kinds_of(names):
    """What `explain -` says: a list of kinds in the order of the names."""
    run = explain("-", stdin="".join(name + "\n" for name in names).encode())
    assert run.returncode == 0 and run.stderr == b""
    lines = run.stdout.decode().splitlines()
    assert len(lines) == len(names)
    fields = [line.split("\t") for line in lines]
    assert [f[0] for f in fields] == list(names)
    return [f[1] for f in fields]


def table(file):
    lines = (GOLDEN / file).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def coarse(kind):
    return kind.split("/")[0]


def labelled_names():
    return [(name, kind) for name, _library, kind in table("kernel_names.tsv")]


def known_misses():
    return [Miss(*row) for row in table("kernel_names.misses.tsv")]


def test_the_misses_are_those_we_know():
    rows = labelled_names()
    found = [
        (name, expected, got)
        for (name, expected), got in zip(rows, kinds_of([name for name, _ in rows]))
        if coarse(expected) != coarse(got)
    ]
    assert sorted(found) == sorted((m.name, m.expected, m.got) for m in known_misses())


def test_99_of_100_names_are_right():
    """A label that is wrong, by a reason that stands in the table, is no miss."""
    really_missed = [m for m in known_misses() if not m.reason.startswith("label: ")]
    assert len(really_missed) <= 0.01 * len(labelled_names())


def test_sub_kinds_stay_as_good_as_they_are():
    """Where the label has one; many labels do without where we say more."""
    rows = [(name, kind) for name, kind in labelled_names() if "/" in kind]
    same = sum(kind == got for (_, kind), got in zip(rows, kinds_of([n for n, _ in rows])))
    assert same >= 0.97 * len(rows)


def test_kernels_of_six_models_keep_their_kinds():
    rows = table("kernels_h200.tsv")
    assert kinds_of([row[0] for row in rows]) == [row[1] for row in rows]


def test_kinds_fit_the_operators_that_launched_them():
    for name, kind, operators in table("kernels_h200.tsv"):
        allowed = OPERATORS_OF.get(coarse(kind))
        if allowed:
            assert set(operators.split(",")) <= allowed, name


def test_one_name_is_explained_in_full():
    run = explain("_ZN5flash16flash_fwd_kernelIiEEvT_")
    assert run.returncode == 0
    assert run.stdout.decode().splitlines() == [
        "name       _ZN5flash16flash_fwd_kernelIiEEvT_",
        "kind       attention/flash",
        "operator   attention",
        "rule       REGEX flash_?(fwd|attn|attention|mla)",
        "demangled  void flash::flash_fwd_kernel<int>(int)",
        "readable   flash::flash_fwd_kernel<int>",
    ]


def test_json_says_the_same():
    run = explain("--json", b"zzz\xff", "nvjet_hsh_NNT")
    first, second = map(json.loads, run.stdout.decode().splitlines())
    assert first["name"] == "zzz\N{REPLACEMENT CHARACTER}"
    assert first["kind"] == "unknown" and first["rule"] is None
    assert second["kind"] == "gemm" and second["operator"] == "linear"
    assert second["rule"] == {"how": "PREFIX", "pattern": "nvjet_", "file": None, "line": None}


def test_rules_of_a_file_come_first(tmp_path):
    rules = tmp_path / "rules.tsv"
    rules.write_text("# mine\nmoe/mine\tSUBSTR\tnvjet\n")
    run = explain("--rules", str(rules), "-", stdin=b"nvjet_hsh_NNT\n\nncclKernel_x")
    assert run.stdout.decode().splitlines() == [
        f"nvjet_hsh_NNT\tmoe/mine\tSUBSTR nvjet ({rules}:2)",
        "\tunknown\t-",
        "ncclKernel_x\tcommunication\tREGEX ^nccl\\w*(kernel|_)",
    ]


def test_wrong_usage_exits_with_2(tmp_path):
    rules = tmp_path / "rules.tsv"
    rules.write_text("gemm\tSUBSTR\n")
    for arguments in [], ["--nonsense", "x"], ["--rules", "/nowhere/rules", "x"]:
        run = explain(*arguments)
        assert run.returncode == 2 and run.stdout == b"" and run.stderr
    run = explain("--rules", str(rules), "x")
    assert run.returncode == 2
    assert f"{rules}:1: expected kind".encode() in run.stderr


def test_lines_of_any_length_and_bytes():
    long_name = b"softmax" * 300_000
    run = explain("-", stdin=b"\xff\xfe\n" + long_name + b"\nlast")
    lines = run.stdout.split(b"\n")
    assert lines[0] == b"\xff\xfe\tunknown\t-"
    assert lines[1].startswith(long_name + b"\tsoftmax\t")
    assert lines[2:] == [b"last\tunknown\t-", b""]


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [TTITRACE, "explain", "x"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert run.returncode == 1 and b"cannot write" in run.stderr
