# SPDX-License-Identifier: Apache-2.0
"""Files of symbols, good and bad; stacks of Python and native frames together."""

import json

import pytest

TRACE = """\
process pid=5 host="h" command="a\\x00" begin_ns=1000
string id=1 text="_ZN2at6native29vectorized_elementwise_kernelILi4EEEvv"
string id=2 text="main"
string id=3 text="Block.forward"
string id=4 text="models.Conv"
string id=5 text="Module.call; x"
kernel id=1 name=1
object begin=4096 end=8192 bias=4096 path="/nowhere/bin/python3.12" build_id="\\x01\\xab"
object begin=16384 end=20480 bias=16384 path="/nowhere/libtorch.so" build_id="\\x02\\xcd"
object begin=32768 end=36864 bias=32768 path="/nowhere/libplain.so" build_id=""
frame id=1 parent=0 address=4112
frame id=2 parent=1 address=16400
frame id=3 parent=2 address=16416
frame id=4 parent=3 address=32784
code id=1 name=2 line=1
code id=2 name=3 line=2
code id=3 name=5 line=3
python_frame id=1 parent=0 code=1 line=1
python_frame id=2 parent=1 code=2 line=2
python_frame id=3 parent=2 code=3 line=3 class=4 self=9
template id=1 op=1 kernel=1 stack=4 path=3 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1
template id=2 op=1 kernel=1 path=2 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1
template id=3 op=1 kernel=1 stack=2 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1
template id=4 op=1 kernel=1 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1
device_template id=1 activity=1 name=1 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1
host tid=5 rows=4
\t1 10 2000 1 0 0
\t2 10 3000 2 0 0
\t3 10 4000 3 0 0
\t4 10 5000 4 0 0
gpu rows=4
\t1 100 2100 1 0
\t1 200 3100 2 0
\t1 400 4100 3 0
\t1 800 5100 4 0
"""
NAMES = """\
# comment
object\t02cd\t/elsewhere/libtorch.so
10\t_ZN2at4_ops6conv2d4callERKNS_6TensorE
20\tplain_c_function
object\t-\t/nowhere/libplain.so
10\tlaunch;er
object\tffff\t/of/no/trace
10\tnever
"""
KERNEL = "vectorized_elementwise_kernel"


@pytest.fixture
def folded(ttitrace, mktrace, tmp_path):
    (tmp_path / "names").write_text(NAMES)
    path = mktrace(TRACE)

    def run(*options):
        done = ttitrace("export", "--format", "folded", *options, path)
        assert done.returncode == 0, done.stderr
        return sorted(done.stdout.splitlines())

    return run


def test_frames_without_names_are_their_objects(folded):
    assert folded("--stacks", "native") == sorted(
        [
            f"[python3.12];[libtorch.so];[libplain.so];{KERNEL} 100",
            f"[python3.12];[libtorch.so];{KERNEL} 400",
            f"(no stack);{KERNEL} 1000",
        ]
    )


def test_a_file_names_objects_by_build_id_or_by_path(folded):
    assert folded("--stacks", "native", "--symbols", "names") == sorted(
        [
            f"[python3.12];at::_ops::conv2d::call;plain_c_function;launch:er;{KERNEL} 100",
            f"[python3.12];at::_ops::conv2d::call;{KERNEL} 400",
            f"(no stack);{KERNEL} 1000",
        ]
    )


def test_python_frames_end_where_the_interpreter_calls_out(folded):
    assert folded("--symbols", "names") == sorted(
        [
            f"main;Block.forward;Conv: Module.call: x;at::_ops::conv2d::call;plain_c_function;launch:er;{KERNEL} 100",
            f"main;Block.forward;{KERNEL} 200",
            f"[python3.12];at::_ops::conv2d::call;{KERNEL} 400",
            f"(no stack);{KERNEL} 800",
        ]
    )


def test_python_alone(folded):
    assert folded("--stacks", "python") == sorted(
        [
            f"main;Block.forward;Conv: Module.call: x;{KERNEL} 100",
            f"main;Block.forward;{KERNEL} 200",
            f"(no stack);{KERNEL} 1200",
        ]
    )


def test_full_names_have_parameters(folded):
    (stack,) = folded("--symbols", "names", "--full-names", "--stacks", "native")[1:2]
    assert ";at::_ops::conv2d::call(at::Tensor const&);" in stack


def test_output_goes_to_a_file(ttitrace, mktrace, tmp_path, folded):
    done = ttitrace("export", "--format=folded", "-o", "out", mktrace(TRACE))
    assert (done.returncode, done.stdout) == (0, "")
    assert sorted((tmp_path / "out").read_text().splitlines()) == folded()
    done = ttitrace("export", "--format=folded", "-o", "no/such/folder", mktrace(TRACE))
    assert done.returncode == 1 and "no/such/folder: No such file" in done.stderr
    done = ttitrace("export", "--format=folded", "-o", "/dev/full", mktrace(TRACE))
    assert done.returncode == 1 and "cannot write" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--format=svg"], ["--format=folded", "--stacks=none"]])
def test_wrong_usage_is_told(ttitrace, mktrace, arguments):
    assert ttitrace("export", *arguments, mktrace(TRACE)).returncode == 2


def test_the_tree_shows_what_is_largest(ttitrace, mktrace, tmp_path):
    (tmp_path / "names").write_text(NAMES)
    options = ["--by", "stack", "--symbols", "names", "--ascii"]
    text = ttitrace("report", *options, mktrace(TRACE)).stdout
    rows = text.split("where it branches\n")[1].splitlines()
    assert [" ".join(row.split()) for row in rows] == [
        f"800 ns 53.3% 1 (no stack) > {KERNEL}",
        f"400 ns 26.7% 1 [python3.12] > .. > {KERNEL}",
        "300 ns 20.0% 2 main > Block.forward",
        f"200 ns 13.3% 1 {KERNEL}",
        rows[-1].strip() and " ".join(rows[-1].split()),
    ]
    assert "native frames: 3 of 4 named" in text
    few = ttitrace("report", *options, "--top", "1", mktrace(TRACE)).stdout
    assert few.endswith("and 4 more (--top)\n")
    report = json.loads(ttitrace("report", *options, "--json", mktrace(TRACE)).stdout)
    assert report["by"]["rows"][0] == {
        "stack": ["(no stack)", KERNEL],
        "time_ns": 800,
        "share": pytest.approx(800 / 1500),
        "launches": 1,
    }
    assert report["native_frames"]["named"] == 3


def test_conv2d_on_the_stack_makes_it_a_convolution(ttitrace, mktrace, tmp_path):
    (tmp_path / "names").write_text(NAMES)
    report = json.loads(ttitrace("report", "--json", "--symbols", "names", mktrace(TRACE)).stdout)
    assert {row["name"]: row["time_ns"] for row in report["operators"]} == {
        "convolution": 500,
        "elementwise": 1000,
    }


@pytest.mark.parametrize(
    "line",
    [
        "object\t02cd",
        "object\t02cd\t",
        "object\t02c\tpath",
        "object\t\tpath",
        "object\t02CD\tpath",
        "object\t" + "00" * 65 + "\tpath",
        "10",
        "10\t",
        "10 name",
        "-10\tname",
        " 10\tname",
        "\tname",
        "x\tname",
        "\udcff\udcfe",
    ],
)
def test_a_bad_line_is_told(ttitrace, mktrace, tmp_path, line):
    (tmp_path / "names").write_bytes(b"# one\n" + line.encode(errors="surrogateescape") + b"\n")
    for command in ("report", "roofline", "seqlen", "check"):
        done = ttitrace(command, "--symbols", "names", mktrace(TRACE))
        assert done.returncode == 2
        assert "names:2: expected address TAB symbol" in done.stderr


def test_odd_but_lawful_files_do_no_harm(ttitrace, mktrace, tmp_path):
    for content in (
        b"",
        b"\n\n#\n",
        b"ffffffffffffffffffffff\tname\n",
        b"10\t" + b"x" * 1_000_000 + b"\n",
        b"object\t02cd\tp\n10\t\x1b[31m\xff\n",
        b"object\t02cd\tp\n10\t_ZN" + b"1a" * 3000 + b"\n",
        b"object\t02cd\tp\n10\tone\x00two\n10\tsecond\n" * 3,
        b"".join(b"object\t%08x\tp\n%x\ts\n" % (i, i) for i in range(20000)),
        b"no newline at the end"[:0] + b"10\tname",
    ):
        (tmp_path / "names").write_bytes(content)
        done = ttitrace("report", "--by", "stack", "--symbols", "names", mktrace(TRACE))
        assert done.returncode == 0, (content[:40], done.stderr)
        assert "\x1b" not in done.stdout


def test_directories_are_no_files_of_symbols(ttitrace, mktrace):
    assert ttitrace("report", "--symbols", ".", mktrace(TRACE)).returncode == 2


def test_chains_as_long_as_a_trace_may_say_are_cut(ttitrace, mktrace):
    deep = "".join(f"frame id={i} parent={i - 1} address={i}\n" for i in range(5, 5000))
    path = mktrace(TRACE.replace("code id=1", deep + "code id=1", 1).replace("stack=4", "stack=4999"))
    assert ttitrace("export", "--format=folded", path).returncode == 0
    assert ttitrace("symbols", path).returncode == 0


def test_an_object_over_one_that_went_has_the_frames_behind_it(ttitrace, mktrace, tmp_path):
    over = 'object begin=16384 end=20480 bias=16384 path="/nowhere/libsecond.so" build_id="\\x03"\n'
    trace = TRACE.replace("\nframe id=3", f"\n{over}frame id=3", 1)
    (tmp_path / "names").write_text("object\t02cd\tp\n10\tfirst\n20\tfirst\nobject\t03\tp\n10\tsecond\n20\tsecond\n")
    done = ttitrace("export", "--format=folded", "--stacks=native", "--symbols", "names", mktrace(trace))
    assert f"[python3.12];first;second;[libplain.so];{KERNEL} 100" in done.stdout.splitlines()


def test_symbols_of_a_trace_without_stacks_are_none(ttitrace, mktrace):
    done = ttitrace("symbols", mktrace("process pid=1\nfinish reason=1\n"))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "0 of 0 frames named" in done.stderr
