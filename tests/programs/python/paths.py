# SPDX-License-Identifier: Apache-2.0
"""Launches from every sort of Python frame, and says what the interpreter thinks the path is.

    paths.py CASE

The grid of a launch is its number; expected.json maps the number to the path, innermost first:
[name, file, line, class of self, identity of self].
"""

import asyncio
import atexit
import contextlib
import ctypes
import functools
import gc
import json
import os
import re
import sys
import threading
import time
import warnings

cu = ctypes.CDLL("libcuda.so.1")
expected = {}
count = 0
lock = threading.Lock()
context, function = ctypes.c_void_p(), ctypes.c_void_p()
numbers = (ctypes.c_int(7), ctypes.c_uint64(9))
parameters = (ctypes.c_void_p * 2)(*(ctypes.addressof(n) for n in reversed(numbers)))


def check(result):
    assert result == 0, result


def start():
    module = ctypes.c_void_p()
    check(cu.cuInit(0))
    check(cu.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0))
    check(cu.cuCtxSetCurrent(context))
    check(cu.cuModuleLoadData(ctypes.byref(module), b"kernel 8 4\n"))
    check(cu.cuModuleGetFunction(ctypes.byref(function), module, b"kernel"))


class Thread(threading.Thread):
    """One that has a context."""

    def run(self):
        check(cu.cuCtxSetCurrent(context))
        super().run()


def frame_says(frame):
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    owner, identity = None, 0
    if code.co_argcount and code.co_varnames[0] == "self":
        me = frame.f_locals.get("self")
        if me is not None:
            owner = type(me).__qualname__
            identity = id(me)
    return [name, code.co_filename, frame.f_lineno, owner, identity]


def note():
    """Numbers the launch that its caller makes in the same line."""
    global count
    path = []
    frame = sys._getframe(1)
    while frame:
        path.append(frame_says(frame))
        frame = frame.f_back
    with lock:
        count += 1
        expected[count] = path
        return count


def launch():
    check(cu.cuLaunchKernel(function, note(), 1, 1, 1, 1, 1, 0, None, parameters, None))


def plain():
    for _ in range(2):
        launch()
    launch()
    (launch(),
     launch())  # fmt: skip


class Module:
    """Like torch.nn.Module: wrappers around forward, children in a list."""

    def __init__(self, *children):
        self.children = children

    def __call__(self, *args):
        return self._call_impl(*args)

    def _call_impl(self, *args):
        return self.forward(*args)

    def forward(self):
        launch()
        for child in self.children:
            child()


class Attention(Module):
    class Inner(Module):
        __slots__ = ()

    def forward(self):
        super().forward()
        launch()


class Closure(Module):
    def forward(self):
        def inner():
            return self

        launch()
        inner()


class Named:
    def method(this):  # noqa: N805  not called self: no class is recorded
        launch()

    @classmethod
    def of_class(cls):
        launch()

    @staticmethod
    def of_none():
        launch()

    def reassigned(self):
        self = Module()
        self()

    def deleted(self):
        del self
        launch()


def methods():
    model = Module(Attention(Attention.Inner()), Attention(Closure()), Closure())
    for _ in range(3):
        model()
    for _ in range(3):
        Closure()()  # the address comes again
        Attention()()
    named = Named()
    named.method()
    named.of_class()
    named.of_none()
    named.reassigned()
    named.deleted()
    with open(os.devnull) as self:  # a local called self is no argument
        launch()
        del self


def generators():
    def numbers(n):
        for i in range(n):
            launch()
            yield i
            launch()

    def delegate(n):
        yield from numbers(n)
        launch()

    list(delegate(2))
    sum(x + (launch() or 0) for x in numbers(2))
    running = numbers(2)
    next(running)
    launch()
    next(running)
    running.close()
    [launch() for _ in range(2)]


def coroutines():
    async def leaf():
        launch()
        await asyncio.sleep(0)
        launch()

    async def branch():
        await leaf()
        await asyncio.gather(leaf(), leaf())

    async def items():
        for i in range(2):
            launch()
            yield i

    async def main():
        await branch()
        async for _ in items():
            launch()

    asyncio.run(main())


def recursion():
    sys.setrecursionlimit(5000)

    def down(n):
        if n % 100 == 0:
            launch()
        if n:
            down(n - 1)
        if n % 150 == 0:
            launch()

    down(900)


def exceptions():
    @contextlib.contextmanager
    def around():
        try:
            launch()
            yield
        finally:
            launch()

    class Failing:
        def __del__(self):
            launch()

        def fail(self):
            try:
                raise ValueError
            finally:
                launch()

    with contextlib.suppress(ValueError), around():
        Failing().fail()
    try:
        Failing().fail()
    except ValueError as error:
        launch()
        try:
            raise KeyError from error
        except KeyError:
            launch()


def through_c():
    sorted([3, 1, 2], key=lambda x: (launch(), x)[1])
    list(map(lambda x: launch(), [1, 2]))
    functools.reduce(lambda a, b: (launch(), a)[1], [1, 2, 3])
    re.sub("a", lambda m: (launch(), "b")[1], "aa")
    functools.partial(launch)()

    class Less:
        def __lt__(self, other):
            launch()
            return True

    max(Less(), Less())
    callback = ctypes.CFUNCTYPE(None)(launch)
    callback()


def compiled():
    """Code objects that go, and others that come in their place."""
    for i in range(60):
        name = f"made_{i % 7}"
        body = "    0\n" * (i % 3) + "    launch()\n"
        text = "\n" * (i % 5) + f"def {name}():\n{body}{name}()"
        exec(compile(text, f"<made {i % 4}>", "exec"), {"launch": launch})
        gc.collect()
    made = type("Größe_模型", (Module,), {})
    made()()
    text = "def größe_模型():\n launch()\ngröße_模型()"
    exec(compile(text, "<tépla-模>", "exec"), {"launch": launch})


def threads():
    model = Module(Attention(Closure()), Closure())

    def work():
        for _ in range(200):
            model()

    workers = [Thread(target=work) for _ in range(6)]
    for w in workers:
        w.start()
    work()
    for w in workers:
        w.join()


def stress():
    """Others allocate, collect, raise, start and end threads while launches are looked at."""
    stop = False

    def litter():
        while not stop:
            rubbish = [type(f"T{i}", (), {"x": [i] * 100})() for i in range(50)]
            rubbish.append(rubbish)
            exec(compile("def f(self): return [self]\nf(1)", "<litter>", "exec"), {})
            gc.collect()

    def come_and_go():
        while not stop:
            t = Thread(target=launch)
            t.start()
            t.join()

    others = [Thread(target=f) for f in (litter, litter, come_and_go)]
    sys.setswitchinterval(1e-5)
    for t in others:
        t.start()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        threads_of = [Thread(target=methods) for _ in range(2)]
        for t in threads_of:
            t.start()
        coroutines()
        generators()
        for t in threads_of:
            t.join()
    stop = True
    for t in others:
        t.join()


def foreign():
    """A thread that never heard of Python makes a call of its own."""
    libc = ctypes.CDLL(None)
    launch()
    thread = ctypes.c_ulong()
    check(
        libc.pthread_create(
            ctypes.byref(thread), None, ctypes.cast(cu.cuCtxSynchronize, ctypes.c_void_p), None
        )
    )
    check(libc.pthread_join(thread, None))


def at_exit():
    atexit.register(save)
    atexit.register(Module(Attention()))
    launch()


def fork():
    launch()
    warnings.simplefilter("ignore")  # CUDA has threads
    pid = os.fork()
    if pid == 0:
        cu.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, None, parameters, None)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    launch()


def finalize():
    """A daemon thread still launches while the interpreter goes down."""

    def for_ever():
        while True:
            cu.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, None, parameters, None)

    class Late:
        def __init__(self, launch):
            self.launch = launch

        def __del__(self):
            self.launch(function, 1, 1, 1, 1, 1, 1, 0, None, parameters, None)

    global late
    late = Late(cu.cuLaunchKernel)
    for _ in range(4):
        Thread(target=for_ever, daemon=True).start()
    time.sleep(0.1)


def subinterpreter():
    try:
        import _interpreters as interpreters  # 3.13
    except ImportError:
        import _xxsubinterpreters as interpreters
    try:
        sub = interpreters.create("legacy")
    except TypeError:
        sub = interpreters.create(isolated=False)
    launch()
    failed = interpreters.run_string(
        sub,
        f"""
import ctypes
cu = ctypes.CDLL("libcuda.so.1")
class Sub:
    def method(self):
        cu.cuLaunchKernel(ctypes.c_void_p({function.value}), 1000, 1, 1, 1, 1, 1, 0, None,
                          ctypes.c_void_p({ctypes.addressof(parameters)}), None)
Sub().method()
""",
    )
    assert not failed, failed
    launch()
    interpreters.destroy(sub)
    launch()


def crowd():
    """More instances than any model has modules."""

    class Passerby:
        def work(self):
            check(cu.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, None, parameters, None))

    for passerby in [Passerby() for _ in range(20000)]:
        passerby.work()


def save():
    with open("expected.json", "w") as out:
        json.dump(expected, out)


def main():
    start()
    globals()[sys.argv[1]]()
    save()


if __name__ == "__main__":
    main()
