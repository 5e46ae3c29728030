# SPDX-License-Identifier: Apache-2.0
"""The HTML report in a real browser: every view, and what a reader does with it."""

import base64
import pathlib
import re
import shutil
import subprocess

import pytest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
TRACES = sorted(GOLDEN.glob("*.ttt"))
SD15, UNFUSED = GOLDEN / "sd15.ttt", GOLDEN / "sd15_unfused.ttt"
VIEWS = "overview operators timeline modules attention roofline kernels shapes words".split()


def milliseconds(text):
    value, unit = text.replace(",", "").split()
    return float(value) * {"s": 1e3, "ms": 1, "\u00b5s": 1e-3, "ns": 1e-6}[unit]


@pytest.mark.parametrize("trace", TRACES, ids=[path.stem for path in TRACES])
def test_every_view_of_every_trace_is_drawn(page, trace):
    p = page(trace)
    texts = p.run(
        """return [...document.querySelectorAll("#tabs button")].map((tab) => {
            tab.click();
            const view = document.querySelector("section:not([hidden])");
            return [view.id.replace("view-", ""), view.textContent];
        });"""
    )
    assert [view for view, _ in texts] == VIEWS
    for view, text in texts:
        assert len(text) > 20, view
        wrong = re.search(r"view failed|undefined|\bNaN|\[object|Infinity|\bnull\b", text)
        assert not wrong, f"{view} has {wrong[0]} in it"


def test_the_first_screen_says_what_ran_and_the_three_largest_costs(page):
    p = page(SD15)
    text = p.text("#view-overview")
    assert "10.1\u00a0s on NVIDIA H200" in text or "10.1 s on NVIDIA H200" in text
    assert re.search(r"GPU worked 294.ms and was idle 91\.6.%", text)
    titles = [h3.text for h3 in p.all(".cost h3")]
    assert titles == ["1. Warming up", "2. The GPU has nothing to do", "3. Convolution"]
    convolution = p.all(".cost")[2].text
    assert "channels_last" in convolution and "138" in convolution


def test_advice_needs_a_reason(page):
    """Attention in three kernels is told where it is so, and only there."""
    assert "scaled_dot_product_attention" in page(UNFUSED).text("#view-overview")
    assert "scaled_dot_product_attention" not in page(SD15).text("#view-overview")
    assert "channels_last" not in page(GOLDEN / "llama.ttt").text("#view-overview")


def test_filters_carry_through_all_views(page):
    p = page(SD15)
    p.filter("phase", "VAE decode")
    assert p.text("#filters .sum").startswith("37.9")
    p.filter("operator", "convolution")
    kept = milliseconds(re.match(r"\S+\s\S+", p.text("#filters .sum").replace("\u00a0", " "))[0])
    for view, table in ("operators", "operators"), ("kernels", "kernels"), ("shapes", "shapes"):
        p.show(view)
        names = p.column(table, "operator" if view != "operators" else "name")
        assert set(names) == {"convolution"}
    p.show("kernels")
    times = [milliseconds(text.replace("\u00a0", " ")) for text in p.column("kernels", "time")]
    assert sum(times) == pytest.approx(kept, rel=0.01)
    p.show("modules")
    assert "AutoencoderKL" in p.text("#view-modules")
    assert "UNet2DConditionModel" not in p.text("#view-modules")
    p.one("#clear").click()
    assert "UNet2DConditionModel" in p.text("#view-modules")


def test_an_address_brings_the_view_back(page):
    p = page(SD15)
    p.show("kernels")
    p.filter("operator", "attention")
    p.sort("kernels", "launches")
    p.one('#view-kernels input[type="search"]').send_keys("cudnn")
    address, rows = p.hash(), p.column("kernels", "name")
    assert rows and all("cudnn" in name for name in rows)
    p.open(address[1:])
    assert p.column("kernels", "name") == rows
    p.open("view=overview")
    assert p.one(".cost")
    p.open("view=nonsense&phase=9999&module=x&operator=%3Cb%3E&%ZZ=1")
    assert p.one(".cost") and p.text("#filters .sum").startswith("294")


def test_the_browsers_back_goes_back(page):
    p = page(SD15)
    p.show("roofline")
    p.filter("operator", "linear")
    p.run("history.back()")
    p.run("return new Promise((done) => setTimeout(done, 200))")
    assert "operator" not in p.hash() and p.one("#view-roofline")
    p.run("history.back()")
    p.run("return new Promise((done) => setTimeout(done, 200))")
    assert p.one("#view-overview")


def test_tables_are_sorted_and_searched(page):
    p = page(SD15, at="view=kernels")
    times = [milliseconds(t.replace("\u00a0", " ")) for t in p.column("kernels", "time")]
    assert times == sorted(times, reverse=True)
    p.sort("kernels", "launches")
    launches = [int(t.replace(",", "")) for t in p.column("kernels", "launches")]
    assert launches == sorted(launches, reverse=True)
    p.sort("kernels", "launches")
    launches = [int(t.replace(",", "")) for t in p.column("kernels", "launches")]
    assert launches == sorted(launches)
    p.one('#view-kernels input[type="search"]').send_keys("nchwToNhwc")
    assert all("nchwToNhwc" in name for name in p.column("kernels", "name"))
    p.one('#view-kernels input[type="search"]').send_keys("nothing is called so")
    assert "Nothing matches" in p.text("#view-kernels")


def test_a_kernel_says_why_it_is_called_so(page):
    p = page(SD15, at="view=kernels&find_kernels=nchwToNhwc")
    p.one("#view-kernels tr.row").click()
    text = p.text("#view-kernels tr.more")
    assert "the library call it was launched in" in text
    assert "its name" in text and "layout" in text
    assert "by its name alone" in text and "memory" in text
    assert "convolution x=" in text and "nchwToNhwcKernel" in text


def test_a_click_in_the_tree_goes_in_and_the_top_goes_out(page):
    p = page(SD15, at="view=modules")
    everything = p.text("#filters .sum")
    p.run(
        """const cell = [...document.querySelectorAll("#view-modules svg g.pick")]
            .find((g) => g.textContent.startsWith("AutoencoderKL"));
        cell.dispatchEvent(new MouseEvent("click", { bubbles: true }));"""
    )
    assert "module=" in p.hash()
    assert p.text("#filters .sum") != everything
    assert "AutoencoderKL" in p.text("#view-modules .crumbs")
    inside = p.text("#filters .sum")
    p.show("operators")
    assert p.text("#filters .sum") == inside
    p.show("modules")
    p.one("#view-modules .crumbs button").click()
    assert p.text("#filters .sum") == everything


def test_the_tree_is_searched(page):
    p = page(SD15, at="view=modules")
    p.one("#find-modules").send_keys("Attention")
    assert re.search(r"\d+ places, \d", p.text("#view-modules .controls").replace("\u00a0", " "))
    dimmed = p.run(
        """return [...document.querySelectorAll("#view-modules svg g.pick")]
            .filter((g) => g.getAttribute("opacity") === "0.28").length"""
    )
    assert dimmed > 10
    assert all("Attention" in name for name in p.column("places", "name"))


def test_the_tree_is_walked_by_keys(page, keys):
    p = page(SD15, at="view=modules")
    svg = '#view-modules svg[role="tree"]'
    p.run("document.querySelector(arguments[0]).focus()", svg)
    p.press(keys.ARROW_DOWN, keys.ARROW_DOWN, keys.ENTER, on=svg)
    assert "module=" in p.hash()


def test_the_timeline_is_zoomed_to_single_launches(page, keys):
    p = page(SD15, at="view=timeline")
    canvas = "#view-timeline canvas"

    def span():
        p.run("return new Promise((done) => setTimeout(done, 700))")
        return p.run(
            "const c = document.querySelector(arguments[0]); return [+c.dataset.from, +c.dataset.to]",
            canvas,
        )

    p.one('[data-detail="1"]').click()
    begin, end = span()
    assert 30e6 < end - begin < 50e6, "a denoising step takes 38 ms"
    assert "zoom=" in p.hash()
    p.press("+", "+", on=canvas)
    closer = span()
    assert closer[1] - closer[0] < 0.5 * (end - begin)
    p.press(keys.ARROW_RIGHT, on=canvas)
    assert span()[0] > closer[0]
    p.open(p.hash()[1:])
    again = span()
    assert again[1] - again[0] == pytest.approx(closer[1] - closer[0], rel=0.01)
    p.press("0", on=canvas)
    whole = span()
    assert whole[1] - whole[0] > 3e9


def test_a_launch_on_the_timeline_is_explained(page):
    p = page(SD15, at="view=timeline")
    p.one('[data-detail="1"]').click()
    p.run("return new Promise((done) => setTimeout(done, 700))")
    found = p.run(
        """const c = document.querySelector("#view-timeline canvas");
        const box = c.getBoundingClientRect();
        for (let y = 150; y < box.height; y += 4)
            for (let x = 100; x < box.width - 20; x += 3) {
                const at = { clientX: box.left + x, clientY: box.top + y, bubbles: true };
                c.dispatchEvent(new MouseEvent("mousemove", at));
                if (document.getElementById("tip").textContent.includes("click to keep")) {
                    c.dispatchEvent(new MouseEvent("click", at));
                    return true;
                }
            }
        return false;"""
    )
    assert found
    text = p.text("#view-timeline")
    assert "before it began" in text and "known by" in text and "UNet2DConditionModel" in text


def test_attention_has_lengths_and_shapes(page):
    p = page(SD15, at="view=attention")
    text = p.text("#view-attention")
    assert "self" in text and "cross" in text and "4,096" in text
    assert p.column("attentions", "backend")[0] == "cudnn"
    assert sum(int(t.replace(",", "")) for t in p.column("attentions", "calls")) == 665
    p.filter("phase", "VAE decode")
    assert p.column("attentions", "role") == ["vae"]


def test_two_traces_are_compared(page):
    p = page(SD15, UNFUSED, at="view=compare")
    assert "sd15_unfused" in p.text("#view-compare")
    assert p.column("changes", "name")[0] == "convolution"
    assert "20 and 4" in p.text("#view-compare")
    p.run(
        "[...document.querySelectorAll('#view-compare button')].find((b) => "
        "b.textContent.startsWith('one step')).click()"
    )
    assert p.column("changes", "name")[0] != "convolution"
    p.show("overview")
    assert p.column("traces", "name") == ["sd15", "sd15_unfused"]
    p.filter("trace", "sd15_unfused")
    assert p.text("#filters .sum").startswith("103")


def test_several_traces_are_a_sweep(page, tmp_path):
    p = page(SD15, UNFUSED, GOLDEN / "llama.ttt", at="view=sweep")
    assert "everything" in p.column("sweep", "name")
    assert len(p.all('#view-sweep [data-table="sweep"] th')) == 5
    assert len(p.all("#view-sweep svg circle")) > 10


def test_dark_and_light(page):
    p = page(SD15)
    paper = "return getComputedStyle(document.body).backgroundColor"
    first = p.run(paper)
    p.press("d")
    assert p.run(paper) != first
    p.open("view=roofline")
    assert p.run(paper) != first, "the choice is kept"
    p.one("#theme").click()
    assert p.run(paper) == first


def test_keys_lead_everywhere(page, keys):
    p = page(SD15)
    for number, view in enumerate(VIEWS, 1):
        p.press(str(number))
        assert p.one(f"#view-{view}")
    p.press("7", "/")
    assert p.run("return document.activeElement.type") == "search"
    p.press("gemm", keys.ESCAPE, on='#view-kernels input[type="search"]')
    p.press("?")
    assert p.one("#view-words")
    p.filter("operator", "linear")
    p.press(keys.ESCAPE)
    assert "operator" not in p.hash()
    p.run("document.getElementById('tab-words').focus()")
    p.press(keys.ARROW_RIGHT, on="#tab-words")
    assert p.one("#view-overview")
    assert p.run("return document.activeElement.id") == "tab-overview"


def test_nothing_is_wider_than_a_telephone(page, driver):
    p = page(SD15)
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": False},
        )
        for view in VIEWS:
            p.open(f"view={view}")
            wide = p.run("return document.documentElement.scrollWidth")
            assert wide <= 390, f"{view} is {wide} wide"
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_paper_all_views_follow_each_other(page, driver, tmp_path):
    p = page(SD15)
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    (tmp_path / "out.pdf").write_bytes(base64.b64decode(pdf["data"]))
    assert p.one("#view-overview") and not p.all("#view-kernels:not([hidden])")
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext here (poppler-utils)")
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "out.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    for heading in (
        "largest costs",
        "Operators",
        "Phases over time",
        "Modules",
        "Sequence lengths",
        "Roofline",
        "Kernels",
        "Shapes",
    ):
        assert heading in text


HOSTILE = "<img src=x onerror=\\\"document.title='owned'\\\">"


def test_names_are_text_wherever_they_stand(page, mktrace):
    """Not in the data only: no view makes markup out of them."""
    trace = mktrace(
        'process pid=1 begin_ns=1 command="<img src=x onerror=document.title=1>"\n'
        'device ordinal=0 name="<b>GPU</b>"\n'
        f'string id=1 text="{HOSTILE}"\n'
        'string id=2 text="<img src=x>.forward"\nstring id=3 text="<img src=x>"\n'
        "code id=1 name=2 file=3 line=1\n"
        "python_frame id=1 parent=0 code=1 line=1 class=3 self=5\n"
        "kernel id=1 name=1\n"
        "template id=1 op=1 kernel=1 grid_x=1 grid_y=1 grid_z=1 path=1\n"
        "device_template id=1 activity=1 name=1 grid_x=1 grid_y=1 grid_z=1\n"
        'mark time_ns=900 tid=1 text="<img src=x>"\n'
        "host tid=1\n\t1 100 1000 1\n\t1 100 2000 2\ngpu\n\t1 60 1300 1\n\t1 60 2300 2\n"
        "finish reason=1\n"
    )
    p = page(trace)
    for view in VIEWS:
        p.show(view)
        assert p.all("img") == [] and p.all("main b b") == []
    p.show("kernels")
    assert "<img" in p.text("#view-kernels")
    p.show("modules")
    assert "<img" in p.text("#view-modules")
    assert "owned" not in p.run("return document.title")


def luminance(colour):
    channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out(page, theme):
    """Contrast of 4.5 to 1 at least, as WCAG AA wants it."""
    p = page(SD15)
    if p.run("return document.documentElement.dataset.theme") != theme:
        p.press("d")
    pairs = p.run(
        """const probe = document.createElement("i");
        document.body.append(probe);
        const of = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
        const pairs = [];
        for (const ink of ["ink", "ink-soft", "accent", "better", "worse"])
            for (const paper of ["paper", "panel"])
                pairs.push([ink, paper, of(ink), of(paper)]);
        pairs.push(["warn", "warn-soft", of("warn"), of("warn-soft")]);
        probe.remove();
        return pairs;"""
    )
    if theme == "dark":
        p.press("d")
    for ink, paper, *colours in pairs:
        high, low = sorted(map(luminance, colours), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{ink} on {paper}"
