#!/usr/bin/env python3
"""Sends DICOM files to a Gantry gateway through presigned URLs.

Needs Python 3.8 or newer and `requests`. Files are found by their contents, in folders of any depth; ZIP archives of
DICOM files are sent as they are. What happens is kept in a journal: an upload that was broken off goes on with --resume,
and no file is sent twice.

    upload_dicom.py --api-endpoint https://gateway.example --path images/ --client-id clinic
    upload_dicom.py --api-endpoint http://127.0.0.1:8080 --path study.zip --json

Ends with 0 when everything was stored, 1 when something was not, 2 when it was used wrongly.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from urllib.parse import urlencode

try:
    import requests
except ImportError:
    sys.exit("upload_dicom: the Python package 'requests' is missing; install it with: pip install requests")

PASSING = {408, 425, 429, 500, 502, 503, 504}
ENDED = {"stored", "rejected", "expired"}
PIECE = 1 << 20


class UploadError(Exception):
    """Why a file could not be sent."""


class Stopped(Exception):
    """Somebody pressed Control-C."""


# ---------------------------------------------------------------------------------------------------------------- files


class Found:
    """What is under the paths: files to send, and what was left out."""

    def __init__(self):
        self.files = []  # (path, size, mtime in nanoseconds, media type)
        self.other = []  # neither DICOM nor ZIP
        self.unreadable = []  # (path, reason)

    def add(self, path, is_named=True):
        try:
            if os.path.islink(path) and not is_named:
                self.other.append(path)
            elif os.path.isdir(path):
                for name in sorted(os.listdir(path)):
                    self.add(os.path.join(path, name), False)
            elif os.path.isfile(path):
                status = os.stat(path)
                with open(path, "rb") as file:
                    kind = media_type(file.read(132))
                if kind:
                    self.files.append((path, status.st_size, status.st_mtime_ns, kind))
                elif is_named:
                    self.unreadable.append((path, "neither a DICOM file nor a ZIP archive"))
                else:
                    self.other.append(path)
            elif is_named and not os.path.exists(path):
                self.unreadable.append((path, "there is no such file"))
            else:
                self.other.append(path)
        except OSError as error:
            self.unreadable.append((path, error.strerror or str(error)))


def media_type(head):
    if head[128:132] == b"DICM":
        return "application/dicom"
    if head[:4] == b"PK\x03\x04":
        return "application/zip"
    return None


class CountedFile:
    """A file, or a piece of one, as the body of a request; tells how much of it was read."""

    def __init__(self, path, start, length, progress):
        self.file = open(path, "rb")
        self.file.seek(start)
        self.length = self.left = length
        self.progress = progress

    def __len__(self):
        return self.length

    def read(self, count=-1):
        if STOP.is_set():
            raise Stopped()
        count = self.left if count is None or count < 0 else min(count, self.left)
        data = self.file.read(min(count, PIECE)) if count else b""
        if count and not data:
            raise UploadError("the file became shorter while it was sent")
        self.left -= len(data)
        self.progress.add(bytes=len(data))
        return data

    def close(self):
        """Ends the request; what was read of a request that failed does not count."""
        self.file.close()

    def take_back(self):
        self.progress.add(bytes=self.left - self.length)


# -------------------------------------------------------------------------------------------------------------- journal


class Journal:
    """One JSON object a line, the last one of a file counts; the same for `gantry upload`."""

    def __init__(self, path, endpoint, resume):
        self.path = path
        self.entries = {}
        self.lock = threading.Lock()
        if resume and os.path.exists(path):
            self._read(endpoint)
        self.file = open(path, "a" if self.entries else "w", encoding="utf-8")
        if not self.entries:
            self._write({"journal": 1, "endpoint": endpoint})

    def _read(self, endpoint):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # the line that was being written when the sender died
                if entry.get("journal") and entry.get("endpoint") != endpoint:
                    raise SystemExit(usage(f"the journal {self.path} is of {entry.get('endpoint')}"))
                if "path" in entry:
                    self.entries[entry["path"]] = entry

    def known(self, path, size, mtime):
        entry = self.entries.get(os.path.abspath(path))
        return entry if entry and entry["size"] == size and entry["mtime"] == mtime else None

    def note(self, file, state, **more):
        path, size, mtime, _ = file
        with self.lock:
            self._write(dict({"path": os.path.abspath(path), "size": size, "mtime": mtime, "state": state}, **more))

    def _write(self, entry):
        self.file.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


# -------------------------------------------------------------------------------------------------------------- gateway


class Gateway:
    """Requests to the gateway, with credentials, tried again where that may help."""

    def __init__(self, options):
        self.base = options.api_endpoint.rstrip("/")
        self.options = options
        self.local = threading.local()
        self.lock = threading.Lock()
        self.token = None
        self.token_ends = 0

    @property
    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.headers["User-Agent"] = "upload_dicom/1"
            # Credentials are ours alone to add: never those that a .netrc file has for the host of a presigned URL.
            self.local.session.auth = lambda request: request
        return self.local.session

    def credentials(self, is_fresh=False):
        if self.options.api_key:
            return {"X-API-Key": self.options.api_key}
        if not self.options.client_id:
            return {}
        with self.lock:
            if is_fresh or time.monotonic() > self.token_ends:
                answer = self.attempt(
                    lambda: self.session.post(
                        self.base + "/token",
                        data={"grant_type": "client_credentials"},
                        auth=(self.options.client_id, self.options.client_secret),
                        timeout=60,
                        allow_redirects=False,
                    )
                )
                if answer.status_code != 200:
                    raise UploadError("no token: " + explanation(answer))
                body = answer.json()
                self.token = body["access_token"]
                self.token_ends = time.monotonic() + max(1, int(body.get("expires_in", 3600)) - 60)
            return {"Authorization": "Bearer " + self.token}

    def attempt(self, send):
        """Sends until an answer stands; waits longer each time, or as long as the server says."""
        for number in range(1, self.options.attempts + 1):
            if STOP.is_set():
                raise Stopped()
            wait = min(30.0, 0.5 * 2 ** (number - 1)) * random.uniform(0.5, 1)
            try:
                answer = send()
                if answer.status_code not in PASSING or number == self.options.attempts:
                    return answer
                after = answer.headers.get("Retry-After", "")
                if after.isdigit():
                    wait += min(120, int(after))
                cause = f"status {answer.status_code}"
            except (requests.ConnectionError, requests.Timeout) as error:
                if number == self.options.attempts:
                    raise UploadError(f"no connection: {type(error).__name__}") from None
                cause = type(error).__name__
            PROGRESS.note(f"trying again in {wait:.1f} s ({cause})")
            STOP.wait(wait)
        raise UploadError("no answer")

    def ask(self, method, path, **more):
        """A request with credentials; a token that is not taken any more is replaced once."""
        for is_fresh in (False, True):
            fields = self.credentials(is_fresh)
            answer = self.attempt(
                lambda: self.session.request(
                    method, self.base + path, headers=fields, timeout=60, allow_redirects=False, **more
                )
            )
            if answer.status_code != 401 or not self.options.client_id:
                break
        if not 200 <= answer.status_code < 300:
            raise UploadError(explanation(answer))
        return answer.json() if answer.content else None

    def state(self, key):
        return self.ask("GET", "/uploads/" + key)


def explanation(answer):
    """What a problem body says, without the URL, which may be a secret."""
    try:
        body = answer.json()
        text = body.get("detail") or body.get("error_description") or body.get("error")
    except ValueError:
        text = None
    return f"the server answered {answer.status_code}" + (f": {text}" if text else "")


# ---------------------------------------------------------------------------------------------------------------- sender


class Sender:
    """Sends one file after another; several threads share it."""

    def __init__(self, gateway, journal, options):
        self.gateway = gateway
        self.journal = journal
        self.options = options

    def send(self, file):
        """Brings the file to the gateway and answers its key. What was sent before is not sent again."""
        entry = self.journal.known(*file[:3]) if self.options.resume else None
        if entry and entry.get("key") and entry["state"] in ("issued", "put"):
            try:
                if self.gateway.state(entry["key"])["state"] not in ("issued", "expired"):
                    PROGRESS.add(bytes=file[1])
                    return entry["key"]
            except UploadError as error:
                if "404" not in str(error):
                    raise
        if file[1] > self.options.part_threshold:
            return self._send_in_parts(file)
        return self._send_whole(file)

    def _send_whole(self, file):
        path, size, _, kind = file
        query = {"filename": os.path.basename(path)[:200], "content_type": kind, "content_length": size}
        query["sha256"] = digest(path)
        if self.options.order:
            query["order_id"] = self.options.order
        for _ in range(self.options.attempts):
            grant = self.gateway.ask("GET", "/upload?" + urlencode(query))
            self.journal.note(file, "issued", key=grant["key"])
            if self._put(path, 0, size, grant["url"], grant["headers"], grant["key"]) is not None:
                self.journal.note(file, "put", key=grant["key"])
                return grant["key"]
        raise UploadError("the URLs ran out before the file was sent")

    def _put(self, path, start, length, url, headers, key=None):
        """PUTs; answers the entity tag, or None when a fresh URL is needed."""

        def send():
            body = CountedFile(path, start, length, PROGRESS)
            try:
                answer = self.gateway.session.put(
                    url, data=body, headers=headers, timeout=(30, 300), allow_redirects=False
                )
                if answer.status_code != 200:
                    body.take_back()
                return answer
            except BaseException:
                body.take_back()
                # The answer may have been lost, not the object.
                if key and not STOP.is_set() and self._has_landed(key):
                    PROGRESS.add(bytes=length)
                    return Landed()
                raise
            finally:
                body.close()

        answer = self.gateway.attempt(send)
        if answer.status_code == 200:
            return answer.headers.get("ETag", "")
        if answer.status_code == 412 and key and self._has_landed(key):
            PROGRESS.add(bytes=length)
            return ""
        if answer.status_code in (403, 412):
            return None
        raise UploadError(explanation(answer))

    def _has_landed(self, key):
        try:
            return self.gateway.state(key)["state"] not in ("issued", "expired")
        except (UploadError, requests.RequestException):
            return False

    def _send_in_parts(self, file):
        path, size, _, kind = file
        body = {"size": size, "filename": os.path.basename(path)[:200], "content_type": kind}
        if self.options.order:
            body["order_id"] = self.options.order
        begun = self.gateway.ask("POST", "/upload/multipart/initiate", json=body)
        self.journal.note(file, "issued", key=begun["key"])
        ids = {"upload_id": begun["upload_id"], "key": begun["key"]}
        parts = []
        for number in range(1, begun["parts"] + 1):
            start = (number - 1) * begun["part_size"]
            length = min(begun["part_size"], size - start)
            for _ in range(self.options.attempts):
                answer = self.gateway.ask("POST", "/upload/multipart/presigned-urls", json=dict(ids, parts=[number]))
                grant = answer["urls"][0]
                etag = self._put(path, start, length, grant["url"], grant["headers"])
                if etag is not None:
                    parts.append({"part": number, "etag": etag.strip('"')})
                    break
            else:
                raise UploadError(f"part {number} could not be sent")
        self.gateway.ask("POST", "/upload/multipart/complete", json=dict(ids, parts=parts))
        self.journal.note(file, "put", key=begun["key"])
        return begun["key"]

    def wait(self, key):
        """Waits until it is known what became of an upload."""
        end = time.monotonic() + self.options.wait
        pause = 0.1
        while True:
            status = self.gateway.state(key)
            if status["state"] in ENDED:
                return status
            if time.monotonic() > end:
                raise UploadError(f"it is still {status['state']} after {self.options.wait} s")
            if STOP.wait(pause):
                raise Stopped()
            pause = min(2, pause * 1.5)


class Landed:
    """Stands for an answer that was lost, of a PUT that was taken."""

    status_code = 200
    headers = {"ETag": ""}


def digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(PIECE), b""):
            hasher.update(piece)
    return hasher.hexdigest()


# -------------------------------------------------------------------------------------------------------------- progress


class Progress:
    """A bar on a terminal, a line now and then elsewhere; both on standard error."""

    def __init__(self):
        self.lock = threading.Lock()
        self.bytes = self.items = 0
        self.total_bytes = self.total_items = 0
        self.start = self.shown = time.monotonic()
        self.is_terminal = sys.stderr.isatty()
        self.is_silent = False

    def add(self, bytes=0, items=0):
        with self.lock:
            self.bytes += bytes
            self.items += items
            now = time.monotonic()
            if not self.is_silent and now - self.shown >= (0.1 if self.is_terminal else 10):
                self.shown = now
                self._show(now)

    def _show(self, now):
        rate = max(self.bytes, 0) / max(now - self.start, 0.001)
        share = min(1, max(self.bytes, 0) / max(self.total_bytes, 1))
        text = f"{int(share * 100)} %  {self.items}/{self.total_items} files  {size(rate)}/s"
        if rate > 0 and share < 1:
            left = int((self.total_bytes - self.bytes) / rate + 1)
            text += f"  {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
        if self.is_terminal:
            filled = int(share * 30)
            text = "\r\x1b[K" + "█" * filled + "░" * (30 - filled) + " " + text
            sys.stderr.write(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def note(self, line):
        with self.lock:
            if self.is_terminal and not self.is_silent:
                sys.stderr.write("\r\x1b[K")
            # A file or a server must not command the terminal.
            sys.stderr.write("".join(c if c.isprintable() else "\ufffd" for c in line) + "\n")
            sys.stderr.flush()

    def finish(self):
        with self.lock:
            if self.is_terminal and not self.is_silent:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()


def size(count):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{int(count)} B"


STOP = threading.Event()
PROGRESS = Progress()

# ------------------------------------------------------------------------------------------------------------------ main


def usage(text):
    sys.stderr.write(f"upload_dicom: {text}\n")
    return 2


def options_of(arguments):
    parser = argparse.ArgumentParser(
        description="Send DICOM files to a Gantry gateway through presigned URLs.",
        epilog="Credentials may also be in GANTRY_CLIENT_ID, GANTRY_CLIENT_SECRET and GANTRY_API_KEY.",
    )
    parser.add_argument("--api-endpoint", required=True, metavar="URL", help="the gateway, as https://gateway.example")
    parser.add_argument("--path", required=True, action="append", metavar="PATH", help="a file or folder; may be repeated")
    parser.add_argument("--client-id", default=os.environ.get("GANTRY_CLIENT_ID"), metavar="ID")
    parser.add_argument("--client-secret", default=os.environ.get("GANTRY_CLIENT_SECRET"), metavar="SECRET")
    parser.add_argument("--api-key", default=os.environ.get("GANTRY_API_KEY"), metavar="KEY")
    parser.add_argument("--parallel", type=int, default=20, metavar="N", help="files at a time (20)")
    parser.add_argument("--order", metavar="ID", help="the order that the files belong to")
    parser.add_argument("--metadata", metavar="FILE", help="a JSON object for the order; without --order one is made")
    parser.add_argument("--resume", action="store_true", help="go on where the journal ends")
    parser.add_argument("--journal", default=".gantry-upload.jsonl", metavar="FILE", help="(.gantry-upload.jsonl)")
    parser.add_argument("--json", action="store_true", help="write what became of each file as JSON")
    parser.add_argument("--attempts", type=int, default=6, metavar="N", help="how often a request is tried (6)")
    parser.add_argument("--wait", type=int, default=900, metavar="S", help="how long to wait for the last result (900)")
    parser.add_argument("--part-threshold", type=int, default=256 << 20, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not options.api_endpoint.startswith(("http://", "https://")):
        parser.error("--api-endpoint is an address such as https://gateway.example")
    if options.api_key and options.client_id:
        parser.error("give a client or an API key, not both")
    if options.client_id and not options.client_secret:
        parser.error("--client-id needs --client-secret, or GANTRY_CLIENT_SECRET")
    if not 1 <= options.parallel <= 64 or options.attempts < 1:
        parser.error("--parallel takes 1 to 64, --attempts 1 or more")
    return options


def prepare_order(gateway, options):
    """Brings the metadata to the order, or makes one with them."""
    if not options.metadata:
        return
    try:
        with open(options.metadata, encoding="utf-8") as file:
            metadata = json.load(file)
    except (OSError, ValueError) as error:
        raise SystemExit(usage(f"cannot read {options.metadata}: {error}"))
    if options.order:
        gateway.ask("PATCH", "/add-metadata?" + urlencode({"order_id": options.order}), json=metadata)
    else:
        options.order = gateway.ask("POST", "/new-order", json={"metadata": metadata})["order_id"]
        PROGRESS.note(f"order {options.order}")


def outcome_of(status):
    """An entry of the summary for a state of the gateway's."""
    outcome = {"status": status["state"], "key": status["key"], "instances": status["instances"]}
    outcome["failures"] = status["failures"]
    return outcome


def line_of(path, outcome):
    text = f"{path}: {outcome.get('key', '')}: ".replace(": : ", ": ") + outcome["status"]
    if outcome.get("instances"):
        text += f" ({outcome['instances']} instance{'s' if outcome['instances'] != 1 else ''})"
    for failure in outcome.get("failures", [])[:5]:
        name = failure.get("file")
        text += "\n    " + (f"{name}: " if name else "") + failure["reason"]
    if outcome.get("reason"):
        text += f": {outcome['reason']}"
    return text


def upload(found, options, gateway, journal):
    """Sends everything; answers what became of each file, by path."""
    sender = Sender(gateway, journal, options)
    outcomes = {}

    def end(file, outcome):
        outcomes[file[0]] = outcome
        PROGRESS.add(items=1)
        if not options.json:
            PROGRESS.finish()
            print(line_of(file[0], outcome), flush=True)

    todo = []
    for file in found.files:
        entry = journal.known(*file[:3]) if options.resume else None
        if entry and entry["state"] in ("stored", "rejected"):
            PROGRESS.add(bytes=file[1])
            end(file, dict(entry["outcome"], resumed=True))
        else:
            todo.append(file)

    def watch(file, key):
        status = sender.wait(key)
        outcome = outcome_of(status)
        journal.note(file, status["state"], key=key, outcome=outcome)
        return outcome

    with concurrent.futures.ThreadPoolExecutor(options.parallel) as senders, concurrent.futures.ThreadPoolExecutor(
        4
    ) as watchers:
        sending = {senders.submit(sender.send, file): file for file in todo}
        watching = {}
        try:
            while sending or watching:
                done, _ = concurrent.futures.wait(
                    list(sending) + list(watching), return_when=concurrent.futures.FIRST_COMPLETED, timeout=1
                )
                for future in done:
                    file = sending.pop(future, None)
                    is_sent = file is not None
                    if not is_sent:
                        file = watching.pop(future)
                    try:
                        result = future.result()
                        if is_sent:
                            watching[watchers.submit(watch, file, result)] = file
                        else:
                            end(file, result)
                    except Stopped:
                        end(file, {"status": "failed", "reason": "stopped"})
                    except (UploadError, requests.RequestException, OSError, KeyError, ValueError) as error:
                        reason = str(error) if isinstance(error, UploadError) else type(error).__name__
                        end(file, {"status": "failed", "reason": reason})
        except BaseException:
            STOP.set()
            for future in list(sending) + list(watching):
                future.cancel()
            raise
    return outcomes


def main(arguments):
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    signal.signal(signal.SIGINT, lambda *_: STOP.set())
    PROGRESS.is_silent = options.json
    found = Found()
    for path in options.path:
        found.add(path)
    for path, reason in found.unreadable:
        PROGRESS.note(f"{path}: {reason}")
    if not found.files:
        PROGRESS.note("upload_dicom: there is nothing to send here")
        return 1
    gateway = Gateway(options)
    try:
        prepare_order(gateway, options)
        journal = Journal(options.journal, gateway.base, options.resume)
    except (UploadError, OSError) as error:
        PROGRESS.note(f"upload_dicom: {error}")
        return 1
    PROGRESS.total_items = len(found.files)
    PROGRESS.total_bytes = sum(file[1] for file in found.files)
    outcomes = upload(found, options, gateway, journal)
    PROGRESS.finish()
    stored = sum(outcome["status"] == "stored" for outcome in outcomes.values())
    failed = len(found.files) - stored
    # A text file in an archive is told, as one in a folder is; an instance that was refused is a failure.
    doubtful = sum(
        o["status"] == "stored" and any(f["code"] != "not-dicom" for f in o.get("failures", []))
        for o in outcomes.values()
    )
    seconds = time.monotonic() - PROGRESS.start
    if options.json:
        summary = {
            "stored": stored, "failed": failed, "partly_stored": doubtful, "not_dicom": found.other,
            "unreadable": [{"path": path, "reason": reason} for path, reason in found.unreadable],
            "bytes": PROGRESS.total_bytes, "seconds": round(seconds, 3), "order": options.order,
            "files": [dict(outcomes[file[0]], path=file[0]) for file in found.files if file[0] in outcomes],
        }
        print(json.dumps(summary, indent=2, ensure_ascii=False, sort_keys=True))
    else:
        text = f"{stored} stored, {failed} failed"
        text += f", {len(found.other)} neither DICOM nor ZIP" if found.other else ""
        text += f", {len(found.unreadable)} not readable" if found.unreadable else ""
        text += f"; {size(PROGRESS.total_bytes)} in {seconds:.1f} s"
        print(text)
    if STOP.is_set():
        PROGRESS.note("upload_dicom: stopped; start it again with --resume to send the rest")
    return 1 if failed or doubtful or found.unreadable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
