# SPDX-License-Identifier: Apache-2.0
"""A headless browser, and pages in it.  Without one the tests here are skipped."""

import shutil
import subprocess
import time

import pytest

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

WIDE = (1400, 1000)


class Page:
    """A report in the browser."""

    def __init__(self, driver, path):
        self.driver, self.path = driver, path

    def open(self, hash_text=""):
        """Anew, with what the address says; how long that took, in seconds."""
        self.driver.get("about:blank")
        begin = time.monotonic()
        self.driver.get(f"file://{self.path}#{hash_text}")
        assert self.run("return document.documentElement.dataset.ready") == "yes"
        return time.monotonic() - begin

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        """The first that can be seen."""
        found = [element for element in self.all(selector) if element.is_displayed()]
        assert found, f"nothing to see of {selector}"
        return found[0]

    def text(self, selector):
        return self.one(selector).text

    def show(self, view):
        self.one(f"#tab-{view}").click()
        return self.one(f"#view-{view}")

    def filter(self, name, option):
        """By the text of the option, whatever stands before it."""
        self.run(
            """const select = document.querySelector(`[data-filter="${arguments[0]}"]`);
            const option = [...select.options].find((o) => o.text.trim().startsWith(arguments[1]));
            select.value = option.value;
            select.dispatchEvent(new Event("change", { bubbles: true }));""",
            name,
            option,
        )

    def hash(self):
        return self.run("return location.hash")

    def press(self, *keys, on="body"):
        self.driver.find_element(By.CSS_SELECTOR, on).send_keys(*keys)

    def column(self, table, key):
        """What stands in one column of a table that can be seen."""
        return self.run(
            """const table = document.querySelector(`section:not([hidden]) [data-table="${arguments[0]}"]`);
            const heads = [...table.querySelectorAll("th")];
            const at = heads.findIndex((th) => th.dataset.key === arguments[1]);
            return [...table.querySelectorAll("tr.row")].map((tr) => tr.cells[at].innerText.trim());""",
            table,
            key,
        )

    def sort(self, table, key):
        self.one(f'[data-table="{table}"] th[data-key="{key}"] button').click()

    def errors(self):
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    browser, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not webdriver:
        pytest.skip("no python3-selenium here")
    if not browser or not chromedriver:
        pytest.skip("no chromium and chromium-driver here")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--force-color-profile=srgb",
        "--lang=en-US",
        f"--window-size={WIDE[0]},{WIDE[1]}",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(chromedriver), options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def made(build, tmp_path_factory):
    """made(trace...) is the path of their page; each is made once."""
    pages = {}

    def make(*traces):
        if traces not in pages:
            pages[traces] = tmp_path_factory.mktemp("page") / "report.html"
            subprocess.run(
                [build / "ttitrace", "report", "--symbols", "none", "--html", pages[traces], *traces],
                check=True,
                stderr=subprocess.PIPE,
            )
        return pages[traces]

    return make


@pytest.fixture
def page(driver, made):
    """page(trace..., at="view=kernels") opens their page; the test fails on errors in the console."""
    opened = []

    def make(*traces, at=""):
        page = Page(driver, made(*traces))
        driver.get_log("browser")
        page.open(at)
        opened.append(page)
        return page

    yield make
    for one in opened:
        assert one.errors() == []


@pytest.fixture
def keys():
    return Keys
