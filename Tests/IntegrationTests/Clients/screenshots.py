"""Takes the pictures of the page that the documentation shows.

usage: screenshots.py ADDRESS CHROMIUM SAMPLES FOLDER      the archive at ADDRESS must be empty
"""
import pathlib
import sys

from playwright.sync_api import sync_playwright

import sample_studies

ROOT = sample_studies.ROOT
CT, MR, US, PHOTO = (f"{ROOT}.{study}" for study in (1, 2, 3, 4))


def main(address, chromium, samples, folder):
    folder, samples = pathlib.Path(folder), pathlib.Path(samples)
    sample_studies.main(samples)
    (samples / "letter.txt").write_text("This is not DICOM.\n")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])

        def window(scheme="light", width=1280, height=800):
            return browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce").new_page()

        def shoot(page, name):
            page.mouse.move(0, 0)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(400)
            page.screenshot(path=folder / f"{name}.png")
            print(f"{name}.png")

        def view(page, study, path, name):
            page.goto(f"{address}/#/studies/{study}{path}")
            page.locator(".viewport[data-drawn]").wait_for()
            # The focus ring belongs to the keyboard, not into a picture.
            page.locator(".viewport").evaluate("element => element.blur()")
            shoot(page, name)

        page = window()
        page.goto(address)
        page.locator(".empty").wait_for()
        shoot(page, "empty-archive")
        page.goto(f"{address}/#/upload")
        page.locator("#choose-files").set_input_files(sorted(samples.iterdir()))
        page.get_by_text("1 failed").first.wait_for()
        shoot(page, "upload")
        page.goto(f"{address}/#/")
        page.locator(".worklist").wait_for()
        shoot(page, "studies")
        page.goto(f"{address}/#/studies/{CT}")
        page.locator(".thumbnail.loaded").nth(1).wait_for()
        shoot(page, "study")
        view(page, CT, f"/series/{CT}.2/instances/{CT}.2.12", "ct")
        view(page, CT, f"/series/{CT}.2/instances/{CT}.2.12/metadata", "data-set")
        view(page, PHOTO, f"/series/{PHOTO}.1", "colour")
        page.goto(f"{address}/#/studies/1.2.840.99")
        page.locator(".problem").wait_for()
        shoot(page, "error")

        page = window("dark")
        page.goto(address)
        page.locator(".worklist").wait_for()
        shoot(page, "studies-dark")
        view(page, MR, f"/series/{MR}.1/instances/{MR}.1.10", "mr-dark")
        view(page, US, f"/series/{US}.1/instances/{US}.1.1/frames/14", "ultrasound-dark")
        page = window(width=360, height=740)
        view(page, CT, f"/series/{CT}.2/instances/{CT}.2.12", "ct-narrow")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
