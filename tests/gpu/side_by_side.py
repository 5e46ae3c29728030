# SPDX-License-Identifier: Apache-2.0
"""Runs one_model.py twice, under ttitrace and with PyTorch's account of it, for a list of cases.

Several processes are started at once, as most of their time is imports; a lock sees to it that only
one of them uses the GPU.
"""

import argparse
import concurrent.futures
import dataclasses
import gzip
import json
import re
import sys
import tarfile

import ours
from common import PROGRAMS, keep_files, python, recorded, run, skip_without_gpu

TIMEOUT_S = 150  # with the wait for the GPU
OFFLINE = {"HF_HUB_OFFLINE": "1"}


@dataclasses.dataclass
class Case:
    """One model in one setting.

    truth_options: where PyTorch can only account for the work if it is done another way.
    """

    name: str
    options: list
    nr_forwards: int
    truth_options: list = None

    def __post_init__(self):
        self.options = [str(option) for option in self.options]
        self.truth_options = self.options if self.truth_options is None else list(map(str, self.truth_options))

    def option(self, name, default=None):
        return self.options[self.options.index(name) + 1] if name in self.options else default


class Failed(Exception):
    """A program that did not do its work; says why."""


def must_succeed(what, finished):
    if finished.code != 0:
        why = "killed: too late" if finished.code == -9 else f"exit code {finished.code}"
        raise Failed(f"{what}: {why}\n{finished.tail(8)}")


def trace_dir_of(scratch, case, round_number):
    return scratch / f"{re.sub(r'[^a-z0-9]+', '_', case.name)}.{round_number}"


def truth_path_of(trace_dir):
    return trace_dir.with_name(f"{trace_dir.name}.truth.gz")


def keep_runs(name, scratch):
    """OUT/name has what --again wants: traces, and PyTorch's accounts."""
    keep_files(name, scratch, [*scratch.glob("*/*.ttt"), *scratch.glob("*.truth.gz")])


class KeptRuns:
    """Stands for Pairs: the runs are there already, in an archive of an earlier time."""

    def __init__(self, scratch, archive):
        self.scratch = scratch
        with tarfile.open(archive) as files:
            files.extractall(scratch, filter="data")

    def start(self, case, round_number=0):
        trace_dir = trace_dir_of(self.scratch, case, round_number)
        truth, trace = concurrent.futures.Future(), concurrent.futures.Future()
        try:
            truth.set_result(json.loads(gzip.decompress(truth_path_of(trace_dir).read_bytes())))
            trace.set_result(trace_dir)
        except OSError as why:
            truth.set_exception(Failed(f"not among the kept runs: {why}"))
        return truth, trace


def runs_of(args, scratch):
    return KeptRuns(scratch, args.again) if args.again else Pairs(scratch, args)


class Pairs:
    """The runs of all cases.  Cases with the same truth_options share one truth."""

    def __init__(self, scratch, args):
        self.scratch = scratch
        self.device_options = ["--device", args.device, *(["--tiny"] if args.tiny else [])]
        self.pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
        self.truths = {}

    def start(self, case, round_number=0):
        """Futures of (truth, trace directory)."""
        key = (*case.truth_options, case.nr_forwards, round_number)
        if key not in self.truths:
            path = self.scratch / f"truth{len(self.truths)}.json"
            self.truths[key] = self.pool.submit(self._truth, case, path)
        trace_dir = trace_dir_of(self.scratch, case, round_number)
        return self.truths[key], self.pool.submit(self._trace, case, trace_dir)

    def _options(self, case):
        return ["--forwards", case.nr_forwards, "--turn", self.scratch / "turn", *self.device_options]

    def _truth(self, case, path):
        scope = "window" if ours.WINDOW_OPTIONS else "whole"
        program = python(PROGRAMS / "one_model_witnessed.py", *case.truth_options)
        options = [*self._options(case), "--scope", scope, "--truth", path]
        must_succeed("under torch.profiler", run([*program, *options], TIMEOUT_S, OFFLINE))
        return json.loads(path.read_text())

    def _trace(self, case, trace_dir):
        trace_dir.mkdir()
        program = python(PROGRAMS / "one_model.py", *case.options, *self._options(case))
        command = recorded(program, trace_dir, *ours.RECORD_OPTIONS)
        must_succeed("under ttitrace", run(command, TIMEOUT_S, OFFLINE))
        return trace_dir


def parse_arguments(what, cases, limit_s):
    """The options of a proof; args.cases are those to do."""
    parser = argparse.ArgumentParser(description=what.splitlines()[0])
    parser.add_argument("only", nargs="?", default="", help="regular expression: only the cases it matches")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--limit", type=float, default=limit_s, help="seconds, after which all else has failed")
    parser.add_argument("--jobs", type=int, default=4, help="processes at once; one of them uses the GPU")
    parser.add_argument("--again", metavar="ARCHIVE", help="judge the runs kept there; needs no GPU")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy models, to try the script out")
    args = parser.parse_args()
    args.cases = [case for case in cases if re.search(args.only, case.name)]
    if args.list:
        print("\n".join(case.name for case in args.cases))
        sys.exit(0)
    if args.device != "cpu" and not args.again:
        skip_without_gpu()
    return args


def judged(cases, futures, judge):
    """(case, judge(case, truth, trace_dir)) in order, or (case, {"faults": [why]}) where a program failed."""
    for case in cases:
        try:
            truth, trace_dir = (future.result() for future in futures[case.name])
            truth_path_of(trace_dir).write_bytes(gzip.compress(json.dumps(truth).encode()))
            yield case, judge(case, truth, trace_dir)
        except (Failed, ours.Unavailable) as why:
            yield case, {"faults": [str(why)]}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            yield case, {"faults": [f"what ttitrace says is not as expected: {error!r}"]}
