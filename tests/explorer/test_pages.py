"""Every page, run as Streamlit runs it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from explorer import models
from explorer.stores import STORE_VARIABLE
from explorer.views.latent_gallery import PER_PAGE
from sae_core import LatentStore
from sae_core.errors import EncoderError
from tests.explorer.conftest import html_of, run_page
from tests.support.hostile import HOSTILE
from tests.support.pictures import encoded, picture

PAGES = ("home", "latents", "latent", "inspect")


def busiest(store: LatentStore) -> int:
    return int(store.latents["n_active"].idxmax())


def dead(store: LatentStore) -> int:
    return int(store.latents.index[store.latents["n_active"] == 0][0])


def test_home(shown: LatentStore) -> None:
    html = html_of(run_page("home"))
    for said in (shown.manifest.name, "FVU", "cosine", "L0", "dead", "How to cite", shown.version, "Chosen by rule"):
        assert said in html
    assert html.count('class="sp-q"') == 4
    assert html.count('class="sp-stripcard"') > 0


def test_latents(shown: LatentStore) -> None:
    html = html_of(run_page("latents"))
    assert html.count('class="sp-card"') == 24
    assert f"all {shown.n_latents}" in html
    assert f"thumb/{shown.version}/" in html


def test_latents_filters_come_from_the_address(shown: LatentStore) -> None:
    html = html_of(run_page("latents", life="dead", sort="number"))
    first_dead = dead(shown)
    assert f'href="latent?latent={first_dead}"' in html
    assert f'href="latent?latent={busiest(shown)}"' not in html
    assert "dead: no picture in this store activates it" in html


def test_latents_nothing_found(shown: LatentStore) -> None:
    assert "Nothing found" in html_of(run_page("latents", q="no such word"))
    html = html_of(run_page("latents", q=f"#{shown.n_latents + 5}"))
    assert f"there is no {shown.n_latents + 5}" in html


def test_an_address_of_no_latent_shows_none(shown: LatentStore) -> None:
    html = html_of(run_page("latent"))
    assert "Which latent?" in html and "gallery" not in html
    assert "No such latent" in html_of(run_page("latent", latent="x"))


def test_latent(shown: LatentStore) -> None:
    latent = busiest(shown)
    app = run_page("latent", latent=str(latent))
    html = html_of(app)
    gallery = shown.gallery(latent)
    assert len(gallery.image_ids) > 2 * PER_PAGE
    for image_id in gallery.image_ids[:PER_PAGE]:
        assert f'href="inspect?image={image_id}"' in html
    strongest = html[html.index('class="sp-gallery sp-large"') :]
    assert strongest.count('class="sp-tile"') == PER_PAGE
    assert html.index("around the median") < html.index("weakest<") < html.index("sp-large")
    for said in ("Gallery", "How strongly", "How often", "Labels", "Similar directions", "copy link"):
        assert said in html
    assert f'href="latent?latent={latent + 1}" data-key="ArrowRight"' in html
    assert len(app.get("plotly_chart")) == 1


def test_latent_last_page_ends_the_gallery(shown: LatentStore) -> None:
    latent = busiest(shown)
    gallery = shown.gallery(latent)
    n_pages = -(-len(gallery.image_ids) // PER_PAGE)
    html = html_of(run_page("latent", latent=str(latent), page=str(n_pages)))
    rest = gallery.image_ids[(n_pages - 1) * PER_PAGE :]
    assert html.count('class="sp-tile"') == len(rest)
    assert f'href="inspect?image={rest[-1]}"' in html
    assert html == html_of(run_page("latent", latent=str(latent), page="99999"))


def test_dead_latent(shown: LatentStore) -> None:
    app = run_page("latent", latent=str(dead(shown)))
    assert "No picture in this store activates it" in html_of(app)
    assert len(app.get("plotly_chart")) == 0


@pytest.mark.parametrize("said", ["99999", "-1", "x", "1.5", "²", "<b>7</b>"])
def test_no_such_latent(shown: LatentStore, said: str) -> None:
    html = html_of(run_page("latent", latent=said))
    assert "No such latent" in html
    assert "<b>7</b>" not in html
    assert ('href="latents?q=' in html) == ("x" in said or "b" in said), "words may be a name"


def test_inspect_a_store_picture(shown: LatentStore) -> None:
    html = html_of(run_page("inspect", image="7"))
    code = shown.code(7)
    assert html.count('class="sp-row"') == len(code.latents)
    positions = [html.index(f'href="latent?latent={latent}"') for latent in code.latents]
    assert positions == sorted(positions)
    assert "what CLIP sees: cosine" in html
    assert 'href="inspect?image=7"' in html.split("Nearest pictures")[0]
    assert 'href="inspect?image=7"' not in html.split("Nearest pictures")[1]


def test_inspect_an_upload(shown: LatentStore) -> None:
    app = run_page("inspect")
    assert "Or take one from the store" in html_of(app)
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    html = html_of(app)
    assert html.count('class="sp-row"') >= 1
    assert "mine.png" in html
    assert "data:image/jpeg;base64," in html
    assert html.count('class="sp-tile"') == 12


def test_a_bad_upload_is_one_sentence(shown: LatentStore) -> None:
    app = run_page("inspect")
    app.file_uploader[0].upload("<b>bad</b>.png", b"no picture at all", "image/png").run()
    html = html_of(app)
    assert html.count('role="alert"') == 1
    assert "&lt;b&gt;bad&lt;/b&gt;.png: the file is no picture" in html
    assert "<b>bad" not in html
    assert "Or take one from the store" in html


def test_another_encoder_refuses_uploads_only(
    shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What loads today is not what the store was built with: a sentence, and the store's own pictures still work."""
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["encoder"]["fingerprint"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    app = run_page("inspect")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    assert "is not the one this store was built with" in html_of(app)
    assert 'class="sp-row"' in html_of(run_page("inspect", image="7"))


@pytest.fixture
def moved(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The store was built on another machine, from a folder of that one: where its encoder is here."""
    copy = Path(shutil.copytree(shown.path, tmp_path / "store"))
    manifest = json.loads((copy / "manifest.json").read_text())
    here, manifest["encoder"]["ref"] = manifest["encoder"]["ref"], "local-dir:/home/somebody/clip"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    return str(here)


ELSEWHERE = (
    "his store’s encoder, local-dir:clip, lay in a folder of the machine that built it and is not here; "
    "SPARSIGHT_ENCODER=FOLDER says where it is now."
)


def test_an_encoder_that_lies_elsewhere_is_named(moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder's path is nobody's business."""
    home = html_of(run_page("home"))
    assert "local-dir:clip" in home
    assert "somebody" not in home
    said = html_of(run_page("latents", text="red"))
    assert f"Searching by meaning is not possible: t{ELSEWHERE}" in said
    assert "somebody" not in said
    monkeypatch.setenv("SPARSIGHT_ENCODER", moved)
    assert "SPARSIGHT_ENCODER" not in html_of(run_page("latents", text="red"))


def test_no_search_by_meaning_is_offered_without_the_encoder(moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: object, **__: object) -> None:
        raise AssertionError("nothing is loaded to know")

    with monkeypatch.context() as patched:
        patched.setattr(LatentStore, "load_encoder", loads)
        for page in ("pictures", "latents"):
            html = html_of(run_page(page, q="zzzz"))
            assert 'href="pictures"' in html and ("No picture matches" in html or "Nothing found" in html)
            assert "by meaning</a>" not in html, page
            assert f"Searching by meaning is not possible: t{ELSEWHERE}</p>" in html
    monkeypatch.setenv("SPARSIGHT_ENCODER", moved)
    for page in ("pictures", "latents"):
        assert "Search “zzzz” by meaning</a>" in html_of(run_page(page, q="zzzz"))


def test_a_place_that_is_none_is_told_as_such(moved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSIGHT_ENCODER", "local-dir:/nowhere/mine")
    html = html_of(run_page("latents", text="red"))
    assert (
        "SPARSIGHT_ENCODER says local-dir:mine, and there is no such folder or file; SPARSIGHT_ENCODER=FOLDER" in html
    )
    assert "nowhere" not in html


def test_an_encoder_that_failed_is_not_offered_for_a_while(shown: LatentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def fails(_: object, reference: str | None) -> None:
        tried.append(1)
        raise EncoderError("the hub does not answer")

    monkeypatch.setattr(LatentStore, "load_encoder", fails)
    models._encoder.clear()
    why = (
        "Searching by meaning is not possible: the hub does not answer; SPARSIGHT_ENCODER=FOLDER says where it is now."
    )
    first = html_of(run_page("latents", q="zzzz"))
    assert "Search “zzzz” by meaning</a>" in first and why in first, "nobody knew before"
    for page in ("latents", "pictures"):
        html = html_of(run_page(page, q="zzzz"))
        assert "by meaning</a>" not in html and html.count(why) == 1, page
    assert "Texts cannot be scored: the hub does not answer; " in html_of(run_page("inspect", image="7"))
    assert len(tried) == 1
    assert html_of(run_page("latents", text="zzzz")).count(why) == 1
    assert len(tried) == 2, "asked for, it is tried again"
    now = time.monotonic()
    monkeypatch.setattr(models.time, "monotonic", lambda: now + models._TRIED_AGAIN + 1)
    assert "Search “zzzz” by meaning</a>" in html_of(run_page("pictures", q="zzzz"))


def test_a_text_alone_leads_on_without_the_encoder(moved: str) -> None:
    html = html_of(run_page("pictures", text="a red car"))
    assert f'role="alert">Searching by meaning is not possible: t{ELSEWHERE}</p>' in html
    assert "Without it pictures are found by words of label, caption or file name, by label or by latents" in html
    assert html.count('class="sp-gallery') == 3 and 'href="pictures?all_of=' in html
    assert "Without it" not in html_of(run_page("pictures", text="a red car", q="red")), "which finds pictures"
    assert "Without it" not in html_of(run_page("pictures", text="a red car", all_of="nothing-like-it"))
    assert "Without it" not in html_of(run_page("pictures"))


def test_words_that_were_taken_as_a_text_are_told_so(moved: str) -> None:
    guess = "“a red car” is no label, picture or latent of this store, so it was taken as a text; t"
    assert f">{guess}{ELSEWHERE}<" in html_of(run_page("spans", of=" a red car"))
    assert f">A: {guess}{ELSEWHERE}<" in html_of(run_page("compare", a="a red car", b="label:red_things"))
    asked = html_of(run_page("spans", of="text:a red car"))
    assert f">T{ELSEWHERE}<" in asked, "which says itself what it is"
    wrong = html_of(run_page("spans", of="image:x"))
    assert "are no numbers of pictures" in wrong and "taken as a text" not in wrong


@pytest.mark.parametrize("said", ["180", "-3", "abc"])
def test_no_such_picture(shown: LatentStore, said: str) -> None:
    assert "No such picture" in html_of(run_page("inspect", image=said))


@pytest.mark.parametrize("page", PAGES)
def test_without_a_store_every_page_says_what_to_do(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "nowhere"))
    html = html_of(run_page(page))
    assert "There is no store to show" in html
    assert str(tmp_path / "nowhere") in html
    assert "<pre>" in html


@pytest.mark.parametrize("page", PAGES)
def test_a_broken_store_lists_all_defects(
    page: str, shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    (copy / "latents.parquet").unlink()
    (copy / "codes" / "indices.npy").write_bytes(b"short")
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    html = html_of(run_page(page))
    assert "latents.parquet is missing" in html
    assert "codes/indices.npy" in html
    assert html.count("<li>") >= 2


def test_a_part_found_broken_later_is_no_traceback(
    shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    index = copy / "latents.faiss"
    index.write_bytes(b"x" * index.stat().st_size)
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    assert "latents.faiss" in html_of(run_page("latent", latent=str(busiest(shown))))


def test_a_rebuilt_store_is_noticed(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    before = html_of(run_page("home"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["name"] = "The rebuilt one"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    after = html_of(run_page("home"))
    assert "The rebuilt one" in after
    assert "The rebuilt one" not in before


def test_parts_that_do_not_belong_together(shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    assert "may not belong together" not in html_of(run_page("home"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["report"] |= {"fvu": 0.2, "random_fvu": 0.5}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    assert "no better than chance" not in html_of(run_page("quality")) + html_of(run_page("home"))
    manifest["report"]["fvu"] = 1.4
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "may not belong together" in html_of(run_page("home"))
    html = html_of(run_page("quality"))
    assert 'role="alert">The SAE leaves an FVU of 1.400, no less than' in html and "(train-sae)" in html
    manifest["report"] |= {"fvu": 0.7, "random_fvu": 0.5}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "no better than chance" in html_of(run_page("home"))


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("home", {}),
        ("latents", {"q": "onerror"}),
        ("latent", {"latent": "BUSIEST"}),
        ("inspect", {"image": "3"}),
        ("inspect", {}),
    ],
)
def test_hostile_texts_stay_texts(
    hostile_store: Path, monkeypatch: pytest.MonkeyPatch, page: str, params: dict[str, str]
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(hostile_store))
    latent = str(busiest(LatentStore.open(hostile_store)))
    html = html_of(run_page(page, **{key: latent if value == "BUSIEST" else value for key, value in params.items()}))
    assert "alert(1)" in html, "the hostile text is shown"
    assert "<script" not in html
    assert "<img src=x" not in html
    assert HOSTILE not in html
    assert "' style='" not in html.replace("&#x27; style=&#x27;", "")


def test_the_missing_demonstration_has_a_short_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    monkeypatch.setattr("explorer.stores.DEFAULT_STORE", tmp_path / "demo")
    assert "<pre>make demo</pre>" in html_of(run_page("home"))


def test_a_store_without_pictures_shows_words(
    shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store may be shared without its images."""
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    for name in ("thumbnails.bin", "thumbnails.npy"):
        (copy / name).unlink()
        del manifest["files"][name]
    manifest["thumbnail_side"] = None
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    html = html_of(run_page("latent", latent=str(busiest(shown))))
    assert "<img" not in html
    assert html.count('class="sp-noimg"') > PER_PAGE
