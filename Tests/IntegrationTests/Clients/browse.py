"""Uses the gateway's page in a real Chromium, as a person would: with pointer and keyboard.

usage: browse.py PART ADDRESS CHROMIUM FOLDER      files are made in FOLDER; says "all well" when all is

    archive   empty archive, upload, results of files, search, study, data set, downloads, problems, keyboard
    images    pictures: thumbnails, scrolling, window, zoom, cine; the server has to render for them
    signin    the form, pictures, downloads and uploads of a gateway that asks who it is: API_KEY, CLIENT_ID, CLIENT_SECRET
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

from playwright.sync_api import Browser, Page, expect, sync_playwright

import sample_studies

ROOT = sample_studies.ROOT
CT, MR, US, PHOTO = (f"{ROOT}.{study}" for study in (1, 2, 3, 4))
WAIT = 20_000
# Every kind of view with what is there once it is complete.
VIEWS = [
    ("#/", ".worklist tbody tr"), (f"#/studies/{CT}", ".card"), ("#/upload", ".dropzone"), ("#/studies/1.2.3", ".problem"),
    (f"#/studies/{CT}/series/{CT}.3/instances/{CT}.3.1/metadata", ".tree .row"),
]
expect.set_options(timeout=WAIT)


class Visit:
    """A browser window that remembers everything that went wrong in it."""

    def __init__(self, browser: Browser, address: str, **options):
        self.address = address
        self.context = browser.new_context(
            viewport=options.pop("viewport", {"width": 1280, "height": 800}), accept_downloads=True, **options)
        self.context.set_default_timeout(WAIT)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self.hosts.add(re.match(r"(blob:)?\w+://[^/]*", request.url).group()))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def heard(self, message):
        # What the server refuses on purpose is written to the console, too; each test says what it provokes.
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def open(self, path=""):
        self.page.goto(self.address + "/" + path)

    def end(self, provoked=()):
        """Nothing went wrong but what was provoked, and nobody but the gateway was asked."""
        left = [one for one in self.wrong if not any(re.search(pattern, one) for pattern in provoked)]
        assert left == [], left
        assert {host.removeprefix("blob:") for host in self.hosts} == {self.address}, self.hosts
        self.context.close()


def count(address, path):
    with urllib.request.urlopen(f"{address}/dicomweb/{path}") as answer:
        return 0 if answer.status == 204 else len(json.load(answer))


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.tagName")


# MARK: archive

def upload_and_results(visit, files, folder):
    page, address = visit.page, visit.address
    visit.open()
    expect(page.get_by_role("heading", name="The archive is empty")).to_be_visible()
    page.get_by_role("link", name="Upload files").click()
    expect(page.get_by_role("heading", name="Upload", exact=True)).to_be_visible()

    wrong = folder / "letter.txt"
    wrong.write_text("Dear colleague, this is not DICOM.\n" * 20)
    cut = folder / "cut.dcm"
    cut.write_bytes((folder / "mr-1-001.dcm").read_bytes()[:4000].replace(b".2.1.1", b".2.9.9"))
    directory = sample_studies.dataset(2, 8, 1, "SR", "A directory")
    directory.SOPClassUID = directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    page.get_by_label("Choose files", exact=True).set_input_files([*files, wrong, cut, folder / "DICOMDIR"])
    expect(page.locator(".summary").get_by_text(f"{len(files)} stored, 3 failed")).to_be_visible()
    assert count(address, "instances?limit=1000") == len(files)
    failed = page.locator(".files li[data-state=failed]")
    expect(failed).to_have_count(3)
    expect(failed.filter(has_text="DICOMDIR")).to_contain_text("Objects of this SOP Class are not taken (0122H)")
    for name in ("letter.txt", "cut.dcm"):
        expect(failed.filter(has_text=name)).to_contain_text("Not a DICOM file, or cut off or damaged (C000H)")
    expect(page.locator(".files li[data-state=stored]")).to_have_count(len(files))
    # What failed can be sent again; what is there already is not stored twice.
    page.get_by_role("button", name="Send failed ones again").click()
    expect(page.locator(".summary").get_by_text(f"{len(files)} stored, 3 failed")).to_be_visible()
    page.get_by_role("button", name="Clear list").click()
    page.get_by_label("Choose files", exact=True).set_input_files(files[:3])
    expect(page.locator(".summary").get_by_text("3 stored")).to_be_visible()
    assert count(address, "instances?limit=1000") == len(files)
    page.get_by_role("link", name="Okafor, Amara").click()
    expect(page.get_by_role("heading", name="Okafor, Amara")).to_be_visible()


def drop_files(visit, file):
    """Files dropped on any view are uploaded."""
    page = visit.page
    visit.open()
    data = list(file.read_bytes())
    page.evaluate(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.dcm"));
            for (const kind of ["dragenter", "dragover", "drop"]) {
              document.querySelector("main").dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
            }
        }""", data)
    expect(page.locator(".files li[data-state=stored]")).to_contain_text("dropped.dcm")


def search(visit):
    page = visit.page
    visit.open()
    rows = page.locator(".worklist tbody tr")
    expect(rows).to_have_count(4)
    for label, typed, name in (
        ("Patient name", "lindq", "Lindqvist, Johan Erik"), ("Patient ID", "GT-3310", "Yamada, Tarou"),
        ("Accession number", "A-51440", "Rossi, Chiara"), ("Modality", "ct", "Okafor, Amara"),
    ):
        page.get_by_label(label).fill(typed)
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(name)
        page.get_by_role("button", name="Clear").click()
        expect(rows).to_have_count(4)
    page.get_by_label("From date").fill("2024-06-01")
    page.get_by_label("To date").fill("2024-07-02")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(2)
    # Coming back from a study finds the list as it was; the address never holds what was searched for.
    rows.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Yamada, Tarou")).to_be_visible()
    assert re.fullmatch(rf".*/#/studies/{re.escape(US)}", page.url), page.url
    page.go_back()
    expect(rows).to_have_count(2)
    expect(rows.first.get_by_role("link")).to_be_focused()
    expect(page.get_by_label("From date")).to_have_value("2024-06-01")
    page.get_by_label("Patient name").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No study matches")).to_be_visible()
    assert "nobody" not in page.url and "nobody" not in page.title()
    page.get_by_role("button", name="Show all studies").click()
    expect(rows).to_have_count(4)


def keyboard(visit):
    """From the address bar to a series without a pointer."""
    page = visit.page
    visit.open()
    expect(page.locator(".worklist tbody tr")).to_have_count(4)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content", focused(page)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    page.keyboard.type("o*")
    page.keyboard.press("Enter")
    expect(page.locator(".worklist tbody tr")).to_have_count(1)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.locator(".worklist tbody tr")).to_have_count(4)
    while focused(page) != "Rossi, Chiara":
        page.keyboard.press("Tab")
        assert focused(page) != "BODY", "the list cannot be reached"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    assert focused(page) == "Okafor, Amara", focused(page)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "focus cannot be seen"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Okafor, Amara")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "main"
    expect(page.locator("#announcer")).to_contain_text("3 series")
    for _ in range(12):
        page.keyboard.press("Tab")
        if "Axial" in focused(page):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Report" in focused(page), focused(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Image")).to_be_visible()
    # Everything that can be operated has a name, and landmarks are there.
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([type=file]), select")].filter((element) =>
            element.offsetParent && !(element.textContent.trim() || element.ariaLabel || element.labels?.length
                || element.labels?.[0]?.textContent)).map((element) => element.outerHTML)""")
    assert unnamed == [], unnamed
    for landmark in ("banner", "main", "navigation"):
        expect(page.get_by_role(landmark).first).to_be_visible()


def dataset(visit):
    page = visit.page
    visit.open(f"#/studies/{CT}/series/{CT}.3/instances/{CT}.3.1/metadata")
    tree = page.get_by_role("complementary", name="Data set")
    expect(tree).to_contain_text("Patient's Name")
    expect(tree).to_contain_text("Okafor^Amara")
    expect(tree).to_contain_text("Basic Text SR Storage")
    expect(tree.get_by_text("Findings", exact=True)).to_have_count(0)
    tree.locator("summary.row", has_text="Content Sequence").first.click()
    tree.locator("summary.item", has_text="Item 1").first.click()
    expect(tree.get_by_text("No pleural effusion.")).to_be_visible()
    tree.get_by_role("searchbox").fill("effusion")
    expect(tree.locator(".tree li")).to_have_count(1)
    expect(tree).to_contain_text("Content Sequence 1")
    tree.get_by_role("searchbox").fill("(0010,0020)")
    expect(tree.locator(".tree li")).to_have_count(1)
    tree.get_by_role("button", name="Close").click()
    expect(tree).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "Data set"
    instance = f"{CT}.3/instances/{CT}.3.1"
    page.wait_for_url(f"**/{instance}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{instance}/metadata")
    expect(tree).to_contain_text("GT-1041")  # the filter is still what it was


def downloads(visit, folder):
    page = visit.page
    visit.open(f"#/studies/{PHOTO}/series/{PHOTO}.2")
    with page.expect_download() as one:
        page.get_by_role("link", name="Download", exact=True).click()
    assert one.value.suggested_filename == f"{PHOTO}.2.1.dcm", one.value.suggested_filename
    assert pathlib.Path(one.value.path()).read_bytes() == (folder / "photo-2-001.dcm").read_bytes()
    with page.expect_download() as one:
        page.get_by_role("link", name="Save the document").click()
    assert one.value.suggested_filename == f"{PHOTO}.2.1.pdf"
    assert pathlib.Path(one.value.path()).read_bytes().startswith(b"%PDF-1.4")


def problems(visit):
    page = visit.page
    visit.open("#/studies/1.2.3")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The archive does not hold this study")
    visit.open("#/studies/not-a-uid")
    expect(alert).to_contain_text("This address leads nowhere")
    visit.open("#/upload")
    page.route("**/dicomweb/studies?*", lambda route: route.continue_(url=route.request.url + "&limit=none"))
    visit.open("#/")
    expect(alert).to_contain_text("The query is malformed")
    expect(alert).to_contain_text("Mend the parameter that the detail names")
    assert re.search(r"Request id [0-9a-f]{16,}", alert.inner_text()), alert.inner_text()
    page.unroute("**/dicomweb/studies?*")
    page.route("**/dicomweb/studies?*", lambda route: route.abort())
    page.get_by_role("button", name="Search").click()
    expect(alert).to_contain_text("The server cannot be reached")
    page.unroute("**/dicomweb/studies?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".worklist tbody tr")).to_have_count(4)


def markup_is_text(visit, folder):
    """Names that look like markup stay names."""
    image = sample_studies.dataset(4, 9, 1, "SR", "<b onclick=alert(1)>x</b>")
    image.PatientName = "<img src onerror>^<script>alert(1)</script>"
    image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID = f"{ROOT}.9", f"{ROOT}.9.1", f"{ROOT}.9.1.1"
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(folder / "<b>bold.dcm", enforce_file_format=True)
    page = visit.page
    visit.open("#/upload")
    page.get_by_label("Choose files", exact=True).set_input_files(folder / "<b>bold.dcm")
    expect(page.locator(".files .path")).to_have_text("<b>bold.dcm")
    page.get_by_role("link", name="<img").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src onerror>, <script>alert(1)</script>")
    page.get_by_role("link", name="<b onclick").first.click()
    expect(page.get_by_role("region", name="Image")).to_be_visible()
    assert page.locator("main img[onerror], main script, main b").count() == 0
    assert page.title() == "Viewer · Gantry"


def narrow_and_dark(browser, address):
    for scheme, ground in (("light", "rgb(243, 245, 247)"), ("dark", "rgb(15, 20, 25)")):
        visit = Visit(browser, address, viewport={"width": 360, "height": 740}, color_scheme=scheme, reduced_motion="reduce")
        page = visit.page
        for path, content in VIEWS:
            visit.open(path)
            expect(page.locator(content).first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, (path, "is wider than the screen")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        # The button goes round: light, dark, as the system.
        for expected in ("light", "dark", None):
            page.get_by_role("button", name="Colours").click()
            assert page.evaluate("document.documentElement.dataset.theme ?? null") == expected
        visit.end(provoked=[r"/thumbnail", r"40[46]"])


def contrast(browser, address):
    """Text has a contrast of at least 4.5 with what lies behind it (WCAG 1.4.3)."""
    measure = """() => {
        const parse = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
          }
          return [255, 255, 255];
        };
        const poor = [];
        for (const element of document.querySelectorAll("body *")) {
          const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
          if (!own || !element.offsetParent || element.closest(".viewport, .thumbnail, [disabled], .unseen")) continue;
          const style = getComputedStyle(element);
          if (!style.color.startsWith("rgb") || !style.backgroundColor.startsWith("rgb")) continue;
          const [one, other] = [light(parse(style.color)), light(behind(element))].sort((a, b) => b - a);
          const ratio = (one + 0.05) / (other + 0.05);
          if (ratio < 4.5) poor.push(`${element.className} "${element.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
        }
        return poor;
    }"""
    for scheme in ("light", "dark"):
        visit = Visit(browser, address, color_scheme=scheme, reduced_motion="reduce")
        for path, content in VIEWS:
            visit.open(path)
            expect(visit.page.locator(content).first).to_be_visible()
            poor = visit.page.evaluate(measure)
            assert poor == [], (scheme, path, poor)
        visit.end(provoked=[r"/thumbnail", r"40[46]"])


def many_files(visit, folder):
    """Some hundred small files, while the page stays usable; stopping ends it at once."""
    page = visit.page
    files = []
    for number in range(1, 301):
        one = sample_studies.dataset(2, 7, number, "SR", "Notes")
        path = folder / f"note-{number:03}.dcm"
        one.save_as(path, enforce_file_format=True)
        files.append(path)
    visit.open("#/upload")
    page.get_by_role("button", name="Clear list").click()
    page.get_by_label("Choose files", exact=True).set_input_files(files)
    expect(page.locator(".summary").get_by_text("300 stored")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Clear list").click()
    page.route("**/dicomweb/studies", lambda route: None)
    page.get_by_label("Choose files", exact=True).set_input_files(files[:50])
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".summary").get_by_text("50 called off")).to_be_visible()
    page.unroute("**/dicomweb/studies")
    page.get_by_role("button", name="Send failed ones again").click()
    expect(page.locator(".summary").get_by_text("50 stored")).to_be_visible(timeout=60_000)


def folders_and_pages(visit, folder):
    """A folder with folders in it; its studies fill more than one page of the list."""
    page = visit.page
    top = folder / "disc"
    for number in range(1, 61):
        one = sample_studies.dataset(2, 1, 1, "SR", "Notes")
        one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID = (f"{ROOT}.50.{number}{end}" for end in ("", ".1", ".1.1"))
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        one.PatientName, one.StudyDate = f"Page^{number:02}", f"202301{1 + number % 28:02}"
        path = top / f"inner{number % 3}" / f"{number:02}"
        path.parent.mkdir(parents=True, exist_ok=True)
        one.save_as(path, enforce_file_format=True)
    (top / ".hidden").write_text("left out")
    visit.open("#/upload")
    page.get_by_label("Choose a folder").set_input_files(top)
    expect(page.locator(".summary").get_by_text("60 stored")).to_be_visible(timeout=60_000)
    expect(page.locator(".files .path").first).to_contain_text("disc/inner")

    visit.open("#/")
    page.get_by_label("Patient name").fill("page")
    page.get_by_role("button", name="Search").click()
    pages = page.get_by_role("navigation", name="Pages")
    rows = page.locator(".worklist tbody tr")
    expect(pages).to_contain_text("1–50 of 60 studies")
    expect(rows).to_have_count(50)
    assert pages.get_by_role("button", name="Newer").is_disabled()
    seen = set(rows.get_by_role("link").all_inner_texts())
    pages.get_by_role("button", name="Older").click()
    expect(pages).to_contain_text("51–60 of 60 studies")
    expect(rows.first.get_by_role("link")).to_be_focused()
    assert pages.get_by_role("button", name="Older").is_disabled()
    seen |= set(rows.get_by_role("link").all_inner_texts())
    assert len(seen) == 60, len(seen)
    # A page keeps its place while one of its studies is looked at.
    rows.nth(4).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Page")
    page.go_back()
    expect(pages).to_contain_text("51–60 of 60 studies")
    pages.get_by_role("button", name="Newer").click()
    expect(pages).to_contain_text("1–50 of 60 studies")


def archive(browser, address, files, folder):
    visit = Visit(browser, address)
    upload_and_results(visit, files, folder)
    visit.end(provoked=[r"status of 4\d\d", r"/thumbnail"])
    for part in (search, keyboard, dataset):
        visit = Visit(browser, address)
        part(visit)
        visit.end(provoked=[r"status of 40[46]"])
    visit = Visit(browser, address)
    downloads(visit, folder)
    drop_files(visit, files[0])
    problems(visit)
    visit.end(provoked=[r"status of 40[046]", r"ERR_FAILED"])
    narrow_and_dark(browser, address)
    contrast(browser, address)
    visit = Visit(browser, address)
    markup_is_text(visit, folder)
    many_files(visit, folder)
    visit.end(provoked=[r"status of 40[46]"])
    visit = Visit(browser, address)
    folders_and_pages(visit, folder)
    visit.end()


# MARK: images

def drawn(page, instance, frame=1):
    expect(page.locator(f'.viewport[data-drawn="{instance}/{frame}"]')).to_be_visible()


def windowed(page, window):
    """Waits for an image in a window; "" is the object's own."""
    expect(page.locator(".viewport")).to_have_attribute("data-window", window)


def brightness(page):
    """Mean and number of different values in the middle of the canvas, once it is painted."""
    return page.evaluate("""async () => {
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const canvas = document.querySelector("canvas");
        const [w, h] = [canvas.width, canvas.height];
        const pixels = canvas.getContext("2d").getImageData(w / 4, h / 4, w / 2, h / 2).data;
        let sum = 0;
        const values = new Set();
        for (let at = 0; at < pixels.length; at += 4) {
          sum += pixels[at];
          values.add(pixels[at]);
        }
        return [sum / (pixels.length / 4), values.size];
    }""")


def stack(visit):
    page = visit.page
    visit.open(f"#/studies/{CT}")
    expect(page.locator(".thumbnail.loaded")).to_have_count(2)
    page.get_by_role("link", name="1 · Axial 5 mm CT").click()
    counter = page.locator(".counter")
    drawn(page, f"{CT}.1.1")
    mean, values = brightness(page)
    assert mean > 10 and values > 30, (mean, values)

    # 1. Scrolling: wheel, keys, slider; the address follows.
    canvas = page.locator(".viewport")
    canvas.hover()
    for _ in range(3):
        page.mouse.wheel(0, 100)
    expect(counter).to_have_text("4 / 24")
    drawn(page, f"{CT}.1.4")
    canvas.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("PageDown")
    expect(counter).to_have_text("13 / 24")
    page.keyboard.press("End")
    drawn(page, f"{CT}.1.24")
    expect(page.locator("#announcer")).to_have_text("Image 24 of 24")
    page.get_by_role("slider", name="Position").fill("12")
    drawn(page, f"{CT}.1.12")
    page.wait_for_url(f"**/#/studies/{CT}/series/{CT}.1/instances/{CT}.1.12")
    page.reload()
    drawn(page, f"{CT}.1.12")
    expect(counter).to_have_text("12 / 24")

    # 2. Window: dragging to the right makes it wider, down raises the centre and so makes the image darker.
    centre, width = page.get_by_label("Window centre"), page.get_by_label("Window width")
    expect(centre).to_have_value("40")
    expect(width).to_have_value("400")
    before, _ = brightness(page)
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "window=" in request.url else None)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 150, steps=30)
    page.mouse.up()
    expect(width).to_have_value("500")
    assert float(centre.input_value()) > 150, centre.input_value()
    windowed(page, f"{centre.input_value()},500")
    after, _ = brightness(page)
    assert after < before - 5, (before, after)
    # One request after the other, so fewer than there were movements, and each with all three parts.
    assert 0 < len(asked) and all(re.search(r"window=[-\d.]+%2C[\d.]+%2Clinear&", url) for url in asked), asked
    page.get_by_label("Window presets").select_option(label="Lung  -600 / 1500")
    expect(centre).to_have_value("-600")
    centre.fill("100")
    centre.press("Enter")
    expect(page.locator(".corner.br")).to_contain_text("C 100 W 1500")
    windowed(page, "100,1500")
    page.get_by_role("button", name="Reset").click()
    expect(width).to_have_value("400")
    windowed(page, "")
    assert abs(brightness(page)[0] - before) < 1

    # 3. Zoom and text.
    corner = page.locator(".corner.br")
    zoom = int(re.search(r"(\d+) %", corner.inner_text()).group(1))
    canvas.focus()
    page.keyboard.press("+")
    expect(corner).to_contain_text(f"{round(zoom * 1.25)} %")
    canvas.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(
        r"(least) => Number(/(\d+) %/.exec(document.querySelector('.corner.br').textContent)[1]) > least", arg=zoom * 2)
    page.keyboard.press("0")
    expect(corner).to_contain_text(f"{zoom} %")
    expect(page.locator(".corner.tl")).to_contain_text("Okafor, Amara")
    page.keyboard.press("i")
    expect(page.locator(".corner.tl")).to_be_hidden()


def without_window(visit):
    """An object that names no window: dragging starts from what its pixels hold."""
    page = visit.page
    visit.open(f"#/studies/{MR}/series/{MR}.2/instances/{MR}.2.9")
    drawn(page, f"{MR}.2.9")
    before, _ = brightness(page)
    canvas = page.locator(".viewport")
    canvas.focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".corner.br")).to_contain_text(re.compile(r"C \d+\s+W \d+"))
    expect(canvas).to_have_attribute("data-window", re.compile(r"\d+,\d+"))
    after, _ = brightness(page)
    assert 0 < before - after < 12, (before, after)


def clip(visit):
    page = visit.page
    visit.open(f"#/studies/{US}/series/{US}.1")
    drawn(page, f"{US}.1.1", 1)
    counter = page.locator(".counter")
    expect(counter).to_have_text("1 / 30")
    expect(page.get_by_label("Frames per second")).to_have_value("25")
    # Nothing plays by itself. Every frame comes in its turn.
    page.evaluate("""() => {
        window.seen = [];
        const viewport = document.querySelector(".viewport");
        new MutationObserver(() => window.seen.push(Number(viewport.dataset.drawn.split("/")[1]))).observe(viewport,
            { attributes: true, attributeFilter: ["data-drawn"] });
    }""")
    page.locator(".viewport").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => window.seen.length > 40")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    seen = page.evaluate("window.seen")
    assert all(after == before % 30 + 1 for before, after in zip(seen, seen[1:])), seen
    # Colour has no window: the wheel and the slider do the rest.
    expect(page.get_by_label("Window centre")).to_be_hidden()
    page.get_by_role("button", name="2 · 30 frames").click()
    drawn(page, f"{US}.1.2", 1)
    page.keyboard.press("ArrowDown")
    drawn(page, f"{US}.1.2", 2)
    page.wait_for_url(f"**/instances/{US}.1.2/frames/2")


def others(visit):
    page = visit.page
    visit.open(f"#/studies/{PHOTO}/series/{PHOTO}.1")
    drawn(page, f"{PHOTO}.1.1")
    colours = page.evaluate("""() => {
        const canvas = document.querySelector("canvas");
        return [...canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 4, 1, 1).data];
    }""")
    assert colours[0] > colours[2] + 30, colours
    page.get_by_role("link", name="‹ Rossi").click()
    expect(page.get_by_role("heading", name="Rossi, Chiara")).to_be_visible()
    visit.open(f"#/studies/{CT}/series/{CT}.3")
    expect(page.locator(".document pre")).to_contain_text("No pleural effusion.")


def zipped(visit):
    page = visit.page
    visit.open(f"#/studies/{CT}")
    with page.expect_download() as one:
        page.get_by_role("link", name="Download study").click()
    assert one.value.suggested_filename == f"{CT}.zip"
    assert pathlib.Path(one.value.path()).read_bytes().startswith(b"PK")


def failing_frames(visit):
    """A frame that cannot be had says why, and the next one is shown all the same."""
    page = visit.page
    page.route(f"**/instances/{CT}.2.2/frames/**", lambda route: route.fulfill(
        status=406, content_type="application/problem+json",
        body=json.dumps({"title": "No acceptable representation", "detail": "It is a secret.", "instance": "urn:gantry:request:abc123"})))
    visit.open(f"#/studies/{CT}/series/{CT}.2/instances/{CT}.2.2")
    expect(page.get_by_role("alert")).to_contain_text("It is a secret.")
    expect(page.get_by_role("alert")).to_contain_text("abc123")
    page.locator(".viewport").focus()
    page.keyboard.press("ArrowDown")
    drawn(page, f"{CT}.2.3")
    expect(page.get_by_role("alert")).to_have_count(0)


def images(browser, address, files, folder):
    for file in files:
        subprocess.run(
            ["curl", "-sSf", "-o", "/dev/null", "-H", "Content-Type: application/dicom", "--data-binary", f"@{file}",
             f"{address}/dicomweb/studies"], check=True)
    for part in (stack, without_window, clip, others, zipped):
        visit = Visit(browser, address)
        part(visit)
        visit.end(provoked=["willReadFrequently"])  # said of the pixels that this test reads
    visit = Visit(browser, address)
    failing_frames(visit)
    visit.end(provoked=[r"status of 406"])


# MARK: sign-in

def sign_in(browser, address, files, folder):
    key, client, secret = (os.environ[name] for name in ("API_KEY", "CLIENT_ID", "CLIENT_SECRET"))
    visit = Visit(browser, address)
    page = visit.page

    # 1. The server asks; what is wrong is told, and nothing is kept of it.
    visit.open(f"#/studies/{CT}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_focused()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Give an API key")
    page.get_by_label("API key").fill("gk_nobody_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    page.get_by_label("API key").fill("")
    page.get_by_label("Client id").fill(client)
    page.get_by_label("Client secret").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known here")

    # 2. With the client's secret the page goes where the address said; the secret itself is not kept.
    page.get_by_label("Client secret").fill(secret)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not hold")
    kept = page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    assert "Bearer" in kept and secret not in kept, "the secret is kept"

    # 3. Uploads, pictures and downloads carry the token.
    page.goto(address + "/#/upload")
    page.get_by_label("Choose files", exact=True).set_input_files(files)
    expect(page.locator(".summary").get_by_text(f"{len(files)} stored")).to_be_visible()
    page.goto(address + f"/#/studies/{CT}")
    expect(page.locator(".thumbnail.loaded").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download study").click()
    assert pathlib.Path(download.value.path()).read_bytes()[:2] == b"PK"

    # 4. Who signs out has to sign in again; a key does as well.
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".card").first).to_be_visible()
    page.reload()
    expect(page.locator(".card").first).to_be_visible()
    visit.end(provoked=[r"status of 40[14]", r"status of 429"])


def main(part, address, chromium, folder):
    folder = pathlib.Path(folder)
    sample_studies.main(folder)
    files = sorted(folder.glob("*.dcm"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        {"archive": archive, "images": images, "signin": sign_in}[part](browser, address, files, folder)
        browser.close()
    print("all well")


if __name__ == "__main__":
    main(*sys.argv[1:])
