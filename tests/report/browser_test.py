#!/usr/bin/env python3
"""The report and the live page in a real Chromium: what they show, and whether it can be used.

    browser_test.py PROGRAM [--pictures FOLDER]

Ends with status 77 (skipped) where there is no Chromium. Where .cache/axe-core/axe.min.js is (scripts/setup --browser gets it)
accessibility is checked too, and the test fails without it when GLIDEPATH_NEED_AXE is set.
"""
import argparse
import csv
import io
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(root / "tests" / "support"))
from browser import Browser, find_chromium  # noqa: E402

AXE = root / ".cache" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = (1280, 900), (390, 844)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(found, expected, what):
    check(found == expected, f"{what}: {found!r}, expected {expected!r}")


def make_study(program, folder):
    file = folder / "study.toml"
    file.write_text('name = "pages"\ntitle = "Digits: which schedule?"\n[base]\ndata = "digits"\nmodel = "mlp"\nfull = "6ep"\n'
                    'batch_size = 32\neval_every = "1ep"\n[grid]\nschedule = ["const", "step-d2", "cosine", "linear"]\n'
                    'budget = ["5%", "25%", "100%"]\nseed = [1, 2]\n')
    subprocess.run([program, "study", file, "--out", folder / "out", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return folder / "out"


def store(study):
    return sqlite3.connect(f"file:{study / 'study.sqlite'}?mode=ro", uri=True)


CHARTS = """(() => window.glidepath.Panel.all.map((panel) => ({title: panel.title, spec: panel.spec, option: panel.chart && panel.chart.getOption().series
  .filter((series) => series && series.type === 'line').map(({name, data, lineStyle}) => ({name, data, opacity: lineStyle.opacity}))})))()"""


def chart(page, title):
    found = [entry for entry in page.run(CHARTS) if entry["title"] == title]
    check(found, f"no chart {title!r}")
    return found[0]["option"]


def accessibility(page, what):
    if not AXE.exists():
        check(not os.environ.get("GLIDEPATH_NEED_AXE"), f"{AXE} is missing")
        return
    page.run(AXE.read_text() + "; 0")
    result = page.run("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => "
                      "({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary)})))")
    bad = [violation for violation in result if violation["impact"] in ("serious", "critical")]
    check(not bad, f"{what}: axe finds {json.dumps(bad, indent=1)}")


def no_problems(page, what):
    equal(page.problems(), [], f"{what}: console")


def numbers_are_the_stores(page, study):
    """Figure 1's accuracies, recomputed from the store with Python's arithmetic."""
    means = {}
    for config, accuracy in store(study).execute("SELECT config, test_accuracy FROM runs WHERE status = 'done'"):
        schedule, budget = (re.search(rf'^{key} = "([^"]+)"', config.replace("'", '"'), re.M).group(1) for key in ("schedule", "budget"))
        means.setdefault(schedule, {}).setdefault(float(budget.rstrip("%")), []).append(100 * accuracy)
    drawn = {series["name"]: {x: y for x, y in series["data"]} for series in chart(page, "(a) accuracy")}
    equal(sorted(drawn), sorted(means), "schedules drawn")
    for schedule, cells in means.items():
        for budget, values in cells.items():
            check(abs(drawn[schedule][budget] - sum(values) / len(values)) < 1e-9, f"{schedule} at {budget} %: {drawn[schedule]}")


def subjects_toggle(page):
    box = "document.querySelector('#subjects input[value=cosine]')"
    page.run(f"{box}.focus()")
    page.key(" ", 32, " ")
    equal(page.run(f"{box}.checked"), False, "space on a schedule")
    for title in ("(a) accuracy", "(b) relative to the full budget", "(a) schedules"):
        check("cosine" not in [series["name"] for series in chart(page, title)], f"cosine still in {title}")
    page.run("document.getElementById('no-subjects').click()")
    equal(chart(page, "(a) accuracy"), [], "none")
    page.run("document.getElementById('all-subjects').click()")
    equal(len(chart(page, "(a) accuracy")), 4, "all")


def budget_slider(page):
    page.run("document.getElementById('budget').focus()")
    page.key("ArrowRight", 39)
    equal(page.run("document.getElementById('budget-value').textContent"), "5 %", "slider")
    faded = {series["name"]: series["opacity"] for series in chart(page, "(b) linear at each budget")}
    equal(sum(opacity == 1 for opacity in faded.values()), 1, f"highlighted of {faded}")
    marker = page.run("window.glidepath.Panel.all[0].chart.getOption().series.flatMap((s) => s && s.markLine && s.markLine.data || []).map((d) => d.xAxis)")
    equal(marker, [5], "marker on the budget axis")
    page.key("ArrowLeft", 37)
    equal(page.run("document.getElementById('budget-value').textContent"), "all", "slider back")


def log_switch(page):
    kind = "window.glidepath.Panel.all[0].chart.getOption().xAxis[0].type"
    equal(page.run(kind), "log", "budget axis")
    page.run("document.querySelector('.panel [aria-label^=\"log x\"]').click()")
    equal(page.run(kind), "value", "budget axis, linear")
    page.run("document.querySelector('.panel [aria-label^=\"log x\"]').click()")
    equal(page.run(kind), "log", "budget axis, back")


def zoom(page):
    windows = "window.glidepath.Panel.all[0].chart.getOption().dataZoom.map((z) => [z.start, z.end])"
    extent = "window.glidepath.Panel.all[0].chart.getModel().getComponent('yAxis').axis.scale.getExtent()"
    whole = page.run(extent)
    window = "(() => { const z = window.glidepath.Panel.all[0].chart.getOption().dataZoom[0]; return [z.start, z.end]; })()"
    page.run("document.querySelector('.panel [aria-label^=\"Zoom in\"]').click()")
    low, high = page.run("(() => { const z = window.glidepath.Panel.all[0].chart.getOption().dataZoom[0]; return [z.startValue, z.endValue]; })()")
    # The middle half of 5 to 100 on a logarithmic axis.
    check(abs(low - 5 * 20 ** 0.25) < 1e-6 and abs(high - 5 * 20 ** 0.75) < 1e-6, f"zoomed in to {low} and {high}")
    page.run("document.querySelector('.panel [aria-label^=\"Show all\"]').click()")
    equal(page.run(window), [0, 100], "shown all")
    page.run("document.querySelector('.chart').scrollIntoView({block: 'center', behavior: 'instant'})")
    time.sleep(0.2)
    left, top, width, height = page.run("(() => { const r = document.querySelector('.chart').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
    page.mouse("mouseMoved", left + 0.3 * width, top + 0.3 * height)
    page.mouse("mousePressed", left + 0.3 * width, top + 0.3 * height, buttons=1)
    page.mouse("mouseMoved", left + 0.5 * width, top + 0.5 * height, buttons=1)
    page.mouse("mouseMoved", left + 0.6 * width, top + 0.6 * height, buttons=1)
    page.mouse("mouseReleased", left + 0.6 * width, top + 0.6 * height)
    start, end = page.run(window)
    check(0 < start < end < 60, f"a rectangle zooms: {start} to {end}")
    page.run("document.querySelector('.panel [aria-label^=\"Show all\"]').click()")
    equal(page.run(windows), [[0, 100], [0, 100]], "shown all after a rectangle")
    equal(page.run(extent), whole, "the y axis after it")


def values_by_mouse_and_keyboard(page):
    tip = "document.querySelector('.chart').lastElementChild.innerText"
    left, top, width, height = page.run("(() => { const r = document.querySelector('.chart').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
    page.mouse("mouseMoved", left + 0.6 * width, top + 0.5 * height)
    page.mouse("mouseMoved", left + 0.62 * width, top + 0.5 * height)
    page.wait(f"({tip}).includes('linear')")
    page.run("document.querySelector('.chart').focus()")
    page.key("Home", 36)
    page.key("ArrowRight", 39)
    said = page.run("document.getElementById('live').textContent")
    check(said.startswith("budget (% of the full budget) 25: ") and "cosine" in said, f"read out: {said!r}")
    page.key("Escape", 27)


def data_table(page):
    page.run("document.querySelector('.panel details.data summary').click()")
    page.wait("document.querySelector('.panel details.data tbody tr')")
    equal(page.run("document.querySelectorAll('.panel details.data')[0].querySelectorAll('tbody tr').length"), 3, "rows of the data table")
    page.run("document.querySelector('.panel details.data summary').click()")


def order_of_rows(page):
    odds = page.run("[...document.querySelectorAll('.order tbody tr')].map((row) => [...row.querySelectorAll('.odds')].map((cell) => cell.textContent))")
    equal([len(row) for row in odds], [4, 4, 4, 4], "probabilities of each row")
    for i in range(4):
        for j in range(4):
            check((odds[i][j] == "") if i == j else abs(float(odds[i][j]) + float(odds[j][i]) - 1) < 0.011, f"P of {i} and {j}: {odds}")
    behind = page.run("getComputedStyle(document.querySelector('.order .w5') || document.querySelector('.order .w4')).backgroundColor")
    check(behind.startswith("rgba(0, 114, 178"), f"shade of a better row: {behind}")


def themes(page):
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.run(background)
    page.run("document.getElementById('theme').click()")
    check(page.run(background) != light, "the theme did not change")
    equal(page.run("document.documentElement.dataset.theme"), "dark", "theme")
    accessibility(page, "dark")
    page.run("document.getElementById('theme').click()")
    equal(page.run(background), light, "light again")


def choosing_a_run(page, study):
    row = store(study).execute("SELECT id, test_accuracy FROM runs WHERE config LIKE '%linear%' AND config LIKE '%100%%' ORDER BY position").fetchone()
    page.run("document.getElementById('run-filter').value = 'LINEAR 100%'; document.getElementById('run-filter').dispatchEvent(new Event('input'))")
    equal(page.run("document.getElementById('run-count').textContent"), "2 of 24 runs", "filter")
    page.run("document.querySelectorAll('#run-list input:checked').forEach((box) => box.click())")
    page.run(f"document.querySelector('#run-list input[value=\"{row[0]}\"]').click()")
    check(f"{100 * row[1]:.2f} %" in page.run("document.getElementById('run-details').innerText"), "the run's accuracy")
    stored = store(study).execute("SELECT step, loss FROM curves WHERE run_id = ? AND kind = 'train' ORDER BY position", (row[0],)).fetchall()
    drawn = [series for series in chart(page, "Loss") if series["name"].endswith("training")][0]["data"]
    equal(len(drawn), len(stored), "points of the curve")
    for (x, y), (step, loss) in zip(drawn, stored):
        check(x == step and abs(y - loss) <= 1e-5 * abs(loss), f"point {(x, y)}, stored {(step, loss)}")
    page.run("document.querySelector('input[name=run-axis][value=progress]').click()")
    equal(chart(page, "Loss")[0]["data"][-1][0], 1, "the last progress")


def downloads(page, folder):
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def saved(name):
        deadline = time.time() + 20
        while not (folder / name).exists() or (folder / name).stat().st_size == 0:
            check(time.time() < deadline, f"{name} was not saved; there: {os.listdir(folder)}")
            time.sleep(0.05)
        time.sleep(0.1)
        return (folder / name).read_bytes()

    for kind in ("CSV", "SVG", "PNG"):
        page.run(f"document.querySelector('.panel [aria-label^=\"Save as {kind}\"]').click()")
    rows = list(csv.reader(io.StringIO(saved("figure-1-1.csv").decode())))
    equal(rows[0], ["series", "budget (% of the full budget)", "value", "axis", "standard deviation"], "CSV head")
    expected = {(series["name"], float(x), y) for series in chart(page, "(a) accuracy") for x, y in series["data"]}
    equal({(name, float(x), float(y)) for name, x, y, _, _ in rows[1:]}, expected, "CSV rows")
    svg = saved("figure-1-1.svg").decode()
    check(svg.startswith("<svg") and "step-d2" in svg and "(a) accuracy" in svg, "SVG")
    equal(saved("figure-1-1.png")[:8], b"\x89PNG\r\n\x1a\n", "PNG signature")
    page.run("document.getElementById('save-results').click()")
    equal(len(saved("pages-results.csv").decode().strip().splitlines()), 25, "lines of results.csv")


def published_points(browser, program, folder, pictures):
    """Those of [reference] are open, with the page's ground inside; ours are filled; the legend says whose they are."""
    file = folder / "published.toml"
    file.write_text('name = "published"\n[base]\ndata = "digits"\nmodel = "mlp"\nfull = "4ep"\nbatch_size = 32\n[grid]\n'
                    'schedule = ["step-d2", "linear"]\nbudget = ["10%", "50%", "100%"]\n[reference]\nsource = "a paper"\n'
                    'budget = ["10%", "50%", "100%"]\n[reference.accuracy]\nlinear = [40.5, 70.25, 88.0]\nstep-d2 = [30.5, 65.0, 89.0]\n')
    study = folder / "published"
    subprocess.run([program, "study", file, "--out", study, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "report", study, "--format", "svg"], check=True, stdout=subprocess.DEVNULL)
    page = browser.page(*DESKTOP)
    page.open((study / "report.html").as_uri())
    page.wait("window.glidepath.Panel.all.length > 1")
    drawn = "window.glidepath.Panel.all[0].chart.getOption().series.filter((s) => s.type === 'line')"
    equal({name: y for name, y in page.run(drawn + ".map((s) => [s.name, s.data.map((d) => d[1])])") if name.startswith("paper")},
          {"paper: linear": [40.5, 70.25, 88], "paper: step-d2": [30.5, 65, 89]}, "published accuracies")
    equal(sorted(page.run("window.glidepath.Panel.all[0].chart.getOption().legend[0].data")), ["paper: linear", "paper: step-d2"], "legend")
    for theme in ("light", "dark"):
        card = page.run("window.glidepath.colours(window.glidepath.theme()).card")
        for name, symbol, shown, ground, border, line in page.run(drawn + ".map((s) => [s.name, s.symbol, s.showSymbol, s.itemStyle.color, s.itemStyle.borderColor, s.lineStyle.color])"):
            check(shown and symbol != "none" and not symbol.startswith("empty"), f"{name}: points {symbol}")
            equal((ground, border), (card, line) if name.startswith("paper") else (line, None), f"{name}, {theme}: ground and border of its points")
        time.sleep(0.3)
        page.screenshot(pictures / f"published-{theme}.png")
        page.run("document.getElementById('theme').click()")
    no_problems(page, "published")


def fits(page, what):
    width = page.run("[document.documentElement.scrollWidth, innerWidth]")
    check(width[0] <= width[1], f"{what}: {width[0]} wide in a window of {width[1]}")


def report_page(browser, study, pictures, scratch):
    url = (study / "report.html").as_uri()
    page = browser.page(*DESKTOP)
    page.open(url)
    page.wait("window.glidepath.Panel.all.length > 4")
    time.sleep(0.3)
    page.screenshot(pictures / "report-desktop.png")
    accessibility(page, "light")
    numbers_are_the_stores(page, study)
    subjects_toggle(page)
    budget_slider(page)
    log_switch(page)
    zoom(page)
    values_by_mouse_and_keyboard(page)
    data_table(page)
    order_of_rows(page)
    themes(page)
    choosing_a_run(page, study)
    downloads(page, scratch)
    fits(page, "desktop")
    page.pdf(pictures / "report.pdf")
    no_problems(page, "report")
    outside = [address for address in page.requests() if not address.startswith(("file:", "data:", "blob:"))]
    equal(outside, [], "addresses asked for")
    for theme in ("light", "dark"):
        phone = browser.page(*PHONE)
        phone.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        phone.open(url)
        phone.wait("window.glidepath.Panel.all.length > 4")
        equal(phone.run("document.documentElement.dataset.theme"), theme, "the system's theme")
        time.sleep(0.3)
        phone.screenshot(pictures / f"report-phone-{theme}.png")
        fits(phone, "phone")
        accessibility(phone, f"phone, {theme}")
        no_problems(phone, "phone")


def live_page(browser, program, study, pictures):
    watch = subprocess.Popen([program, "watch", study], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", watch.stdout.readline()).group()
        for size, name in ((DESKTOP, "desktop"), (PHONE, "phone")):
            page = browser.page(*size)
            page.open(address)
            page.wait("window.glidepath.snapshots > 0")
            time.sleep(0.3)
            page.screenshot(pictures / f"watch-{name}.png")
            check("24 of 24" in page.run("document.getElementById('numbers').innerText"), "runs done")
            equal(page.run("document.getElementById('connection').textContent"), "The study is over.", "connection")
            equal(len(chart(page, "Test accuracy against budget")), 4, "lines so far")
            fits(page, f"live page, {name}")
            accessibility(page, f"live page, {name}")
            page.run("document.getElementById('theme').click()")
            accessibility(page, f"live page, {name}, dark")
            no_problems(page, "live page")
        started = time.time()
        watch.send_signal(signal.SIGTERM)
        equal(watch.wait(20), 143, "exit status")
        check(time.time() - started < 10, "it took long to end")
        page.wait("document.getElementById('connection').textContent.startsWith('Not connected')")
    finally:
        if watch.poll() is None:
            watch.kill()
            watch.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--pictures", type=pathlib.Path, help="keep the screenshots here")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        print("skipped: no Chromium; scripts/setup --browser installs it")
        return 77
    with tempfile.TemporaryDirectory(prefix="glidepath-pages-") as scratch:
        scratch = pathlib.Path(scratch)
        pictures = arguments.pictures or scratch / "pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        study = make_study(arguments.program, scratch)
        subprocess.run([arguments.program, "report", study, "--format", "svg"], check=True, stdout=subprocess.DEVNULL)
        downloaded = scratch / "downloads"
        downloaded.mkdir()
        browser = Browser(chromium)
        try:
            report_page(browser, study, pictures, downloaded)
            live_page(browser, arguments.program, study, pictures)
            published_points(browser, arguments.program, scratch, pictures)
        finally:
            browser.close()
    print("the report and the live page do what they promise" + ("" if AXE.exists() else "; accessibility was not checked: no axe-core"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
