"""The widget's built files: that they are built from their source, how they are served, and that no text is missing."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest
from babel import Locale

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "static" / "widget"
CATALOGUES = {path.stem: json.loads(path.read_text()) for path in (ROOT / "widget/client/locales").glob("*.json")}


class TestServing:
    def test_the_script_is_served_to_any_page(self, client):
        response = client.get("/widget/v1.js")

        assert response.status_code == 200
        assert response["Content-Type"] == "text/javascript; charset=utf-8"
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "max-age" in response["Cache-Control"]
        assert response.content == (BUILT / "v1.js").read_bytes()
        assert client.get("/widget/v1.js", headers={"if-none-match": response["ETag"]}).status_code == 304

    def test_the_script_is_compressed_for_who_takes_it(self, client):
        plain = client.get("/widget/v1.js")
        response = client.get("/widget/v1.js", headers={"accept-encoding": "br, gzip"})

        assert response["Content-Encoding"] == "gzip"
        assert gzip.decompress(response.content) == plain.content
        assert "Accept-Encoding" in plain["Vary"]
        assert "Accept-Encoding" in response["Vary"]
        assert plain["ETag"] != response["ETag"]

    def test_the_core_stays_below_ten_kilobytes_with_its_headers(self, client):
        response = client.get("/widget/v1.js", headers={"accept-encoding": "gzip"})

        assert len(response.content) + len(response.serialize_headers()) < 10_000

    @pytest.mark.parametrize("name", ["more.js", "qr.js", "zh-Hant.json"])
    def test_what_the_script_fetches_is_kept_for_good(self, client, name):
        response = client.get(f"/widget/v1/{name}")

        assert response.status_code == 200
        assert "immutable" in response["Cache-Control"]
        assert response["Access-Control-Allow-Origin"] == "*"

    def test_the_types_are_there_to_be_copied(self, client):
        assert b"interface Switchyard" in client.get("/widget/v1.d.ts").content

    @pytest.mark.parametrize("name", ["none.js", "../v1.js", "..%2fv1.js", "more.css", "more.js/"])
    def test_nothing_else_is(self, client, name):
        assert client.get(f"/widget/v1/{name}").status_code == 404


@pytest.mark.node
class TestBuild:
    def test_the_committed_files_are_what_their_source_builds(self, tmp_path):
        subprocess.run(["node", ROOT / "widget/build.mjs", tmp_path], check=True)

        built = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.*")}
        committed = {path.relative_to(BUILT): path.read_text() for path in BUILT.rglob("*.*")}
        assert built.keys() == committed.keys()
        assert [name for name in built if built[name] != committed[name]] == [], "run `make widget`, and commit"

    def test_its_types_are_right(self):
        checked = subprocess.run(
            ["node", ROOT / "widget/node_modules/typescript/bin/tsc", "-p", ROOT / "widget"],
            capture_output=True,
            text=True,
        )

        assert (checked.returncode, checked.stdout) == (0, "")


class TestCatalogues:
    def test_there_are_twelve_and_more_with_three_from_right_to_left(self):
        assert len(CATALOGUES) >= 12
        assert {"ar", "he", "fa"} <= CATALOGUES.keys()

    @pytest.mark.parametrize("tag", sorted(CATALOGUES))
    def test_each_says_all_that_english_says_with_the_same_places(self, tag):
        english, catalogue = CATALOGUES["en"], CATALOGUES[tag]

        assert list(catalogue) == list(english)
        for key, text in catalogue.items():
            if isinstance(text, str):
                assert text.strip(), key
                assert places(text) == places(english[key]), key

    @pytest.mark.parametrize("tag", sorted(CATALOGUES))
    def test_each_counts_as_its_language_does(self, tag):
        rule = Locale.parse(tag.replace("-", "_")).plural_form
        asked = {rule(n) for n in range(1, 200)} | {"other"}

        assert asked <= CATALOGUES[tag]["people"].keys()
        assert asked <= CATALOGUES[tag]["speakers"].keys()
        assert all("{language}" in form for form in CATALOGUES[tag]["speakers"].values())


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))
