"""Inspect as a page: texts, edits and uploads, plain and odd."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.stores import STORE_VARIABLE
from sae_core import LatentStore
from tests.explorer.conftest import html_of, run_page
from tests.support.pictures import encoded, picture
from tests.support.stores import make_store


def dead(store: LatentStore) -> int:
    return int(np.flatnonzero(store.latents["density"].to_numpy() == 0)[0])


def test_the_pictures_own_label_is_the_first_text(shown: LatentStore) -> None:
    app = run_page("inspect", image="7")
    html = html_of(app)
    assert f">{shown.image(7).title}</textarea>" in html
    assert "store’s mean of" in html
    assert len(app.get("plotly_chart")) == 1
    assert html.count('class="sp-scorerow"') == 1


@pytest.mark.parametrize("asked", [{"prompts": "a dog"}, {"edit": "3:0"}, {"where": "3"}])
def test_an_address_of_somebodys_upload_says_so_where_it_is_opened_cold(
    shown: LatentStore, asked: dict[str, str]
) -> None:
    assert "This address is of an upload" in html_of(run_page("inspect", **asked))
    assert "This address is of an upload" not in html_of(run_page("inspect", image="7", **asked))
    assert "This address is of an upload" not in html_of(run_page("inspect"))


def test_texts_and_the_one_taken_apart(shown: LatentStore) -> None:
    app = run_page("inspect", image="7", prompts="a red car\na <b>dog</b>", prompt="1")
    html = html_of(app)
    assert html.count('class="sp-scorerow"') == 2
    assert "<b>dog" not in html
    chosen = html.split('class="sp-scorerow"')[2]
    assert 'aria-current="true"' in chosen and "a &lt;b&gt;dog" in chosen
    assert "“a &lt;b&gt;dog&lt;/b&gt;” scores" in html


def test_a_text_that_matches_nothing_is_told_so(shown: LatentStore) -> None:
    """A score near the store's mean says little of a picture; one far below it as much as one far above."""
    text = shown.load_encoder().encode_texts(["qwxz"])[0].numpy()
    order = np.argsort(shown.embeddings(range(shown.n_images)) @ text)
    for image_id, little in ((order[0], False), (order[len(order) // 2], True), (order[-1], False)):
        html = html_of(run_page("inspect", image=str(image_id), prompts="qwxz"))
        assert ("it says little about this picture" in html) == little
        assert "one standard deviation" in html


def test_sliders_and_links_of_an_edit(shown: LatentStore) -> None:
    code = shown.code(7)
    first, second = code.latents[:2].tolist()
    html = html_of(run_page("inspect", image="7", edit=f"{first}:0", prompts="a red car"))
    assert html.count('type="range"') == len(code.latents)
    assert f'href="inspect?image=7&amp;prompts=a+red+car&amp;edit={first}:0,{second}:0"' in html, "remove"
    assert html.count('href="inspect?image=7&amp;prompts=a+red+car"') == 2, "reset, and reset all"
    assert f'data-edit="{first}" data-was="0" data-edited' in html
    assert "Before the edit, the picture rebuilt from" in html, "of the code that the picture has"
    assert "The picture rebuilt from" in html_of(run_page("inspect", image="7", prompts="a red car"))
    assert "Its cosine with the original embedding is" in html
    assert "before and after the edit" in html
    assert 'data-name="edited"' in html
    assert "The bars split the score as it was before the edit." in html
    came, left = html.count('class="sp-came"'), html.count('class="sp-left"')
    assert came == left


def test_a_dead_latent_can_be_added(shown: LatentStore) -> None:
    html = html_of(run_page("inspect", image="7", add=str(dead(shown))))
    assert f"#{dead(shown)} 0.000 → " in html
    assert "active in no picture" in html
    assert html.count('type="range"') == len(shown.code(7).latents) + 1


def test_words_for_the_latent_to_add_ask_which_is_meant(shown: LatentStore) -> None:
    label = str(shown.latents["top_label"].dropna().iloc[0])
    html = html_of(run_page("inspect", image="7", add=label, to="0.5"))
    assert f"Latents with “{label}” in their name or label" in html
    assert f'name="add" value="{label}"' in html and 'name="to" value="0.5"' in html
    meant = [int(one) for one in re.findall(r'class="sp-under" href="inspect\?image=7&amp;edit=(\d+):0\.5"', html)]
    assert meant and all(
        label in (shown.latents.at[one, "top_label"], shown.latents.at[one, "name"]) for one in meant
    ), "each adds that latent"
    assert 'role="alert"' not in html and "Edited:" not in html


def test_words_that_no_latent_has_are_one_sentence(shown: LatentStore) -> None:
    html = html_of(run_page("inspect", image="7", add="<b>zzz"))
    assert "No latent has “&lt;b&gt;zzz” in its name or label; a number does, as in #340." in html
    assert html.count('role="alert"') == 1


@pytest.mark.parametrize("edit", ["x:1", "5:", "99999:1", "5:-2", "5:nan", "<script>alert(1)</script>:1", "5=3"])
def test_an_edit_that_cannot_be_read_is_one_sentence(shown: LatentStore, edit: str) -> None:
    html = html_of(run_page("inspect", image="7", edit=edit))
    assert html.count('role="alert"') == 1
    assert "<script>" not in html
    assert "Edited:" not in html
    assert html.count('type="range"') == len(shown.code(7).latents), "and the picture as it is"


def test_without_a_picture_an_edit_waits_for_one(shown: LatentStore) -> None:
    html = html_of(run_page("inspect", edit="3:0"))
    assert "Or take one from the store" in html and "<h1>What is in a picture?</h1>" not in html


def test_before_a_picture_is_chosen_the_page_says_what_it_answers(shown: LatentStore) -> None:
    html = html_of(run_page("inspect"))
    assert html.index("<h1>What is in a picture?</h1>") < html.index("Or take one from the store")
    assert "What is in a picture?" not in html_of(run_page("inspect", image="7"))


def test_a_single_colour_upload(shown: LatentStore) -> None:
    app = run_page("inspect", prompts="grey")
    app.file_uploader[0].upload("grey.png", encoded(Image.new("RGB", (64, 64), (90, 90, 90))), "image/png").run()
    html = html_of(app)
    assert html.count('class="sp-row"') >= 1
    assert "nan" not in html.lower().replace("banana", "")
    assert html.count('class="sp-scorerow"') == 1


def test_an_upload_leaves_the_edit_of_another_picture(shown: LatentStore) -> None:
    app = run_page("inspect", image="7", edit="3:0", prompts="red")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    html = html_of(app)
    assert "mine.png" in html
    assert "Edited:" not in html
    assert dict(app.query_params) == {"prompts": "red"}


def test_edits_of_an_upload_wait_for_it_and_leave_with_the_next(shown: LatentStore) -> None:
    asked = {"edit": "3:0", "prompts": "red"}
    app = run_page("inspect", **asked)
    assert "edits and heat map of this address apply to it" in html_of(app)
    app.file_uploader[0].upload("broken.png", b"no picture at all", "image/png").run()
    assert dict(app.query_params) == asked
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    assert "Edited:" in html_of(app) and "This address is of an upload" not in html_of(app)
    assert dict(app.query_params) == asked
    app.file_uploader[0].upload("another.png", encoded(picture(5)[1]), "image/png").run()
    assert "another.png" in html_of(app) and "Edited:" not in html_of(app)
    assert dict(app.query_params) == {"prompts": "red"}


def test_an_upload_has_no_text_of_its_own(shown: LatentStore) -> None:
    app = run_page("inspect")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    html = html_of(app)
    assert "Say what to look for" in html
    assert html.count('class="sp-chip" href="inspect?prompts=') == 3, "the store's three labels are suggested"


def test_the_camera_opens_only_where_it_is_asked_for(shown: LatentStore) -> None:
    app = run_page("inspect", image="7")
    assert len(app.get("camera_input")) == 0
    assert 'href="inspect?image=7&amp;camera=1"' in html_of(app)
    app = run_page("inspect", image="7", camera="1")
    assert len(app.get("camera_input")) == 1
    assert "close the camera" in html_of(app)


def test_another_sae_refuses_uploads_with_both_fingerprints(
    shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    found = manifest["sae"]["fingerprint"]
    manifest["sae"]["fingerprint"] = "1" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    app = run_page("inspect")
    app.file_uploader[0].upload("mine.png", encoded(picture(4)[1]), "image/png").run()
    refusal = next(part for part in html_of(app).split("<p ") if 'role="alert"' in part)
    assert found[:12] in refusal and "1" * 12 in refusal
    assert 'class="sp-row"' not in html_of(app)


def test_another_encoder_refuses_texts_with_both_fingerprints(
    shown: LatentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "store"
    shutil.copytree(shown.path, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    found = manifest["encoder"]["fingerprint"]
    manifest["encoder"]["fingerprint"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv(STORE_VARIABLE, str(copy))
    html = html_of(run_page("inspect", image="7"))
    assert "Texts cannot be scored: " in html
    assert found[:12] in html and "0" * 12 in html
    assert html.count('class="sp-row"') == len(shown.code(7).latents), "the code needs no encoder"


def bare_tar(path: Path, pictures: list[Image.Image]) -> Path:
    """A WebDataset without labels or captions."""
    with tarfile.open(path, "w") as tar:
        for number, image in enumerate(pictures):
            data = encoded(image)
            info = tarfile.TarInfo(f"{number:05d}.png")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_without_labels_and_with_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture is there twice, and none has a label: its twin is its nearest picture, at cosine 1."""
    pictures = [picture(number)[1] for number in range(20)]
    tar = bare_tar(tmp_path / "pictures.tar", [*pictures, *pictures])
    path = make_store(tmp_path / "store", n_latents=48, k=4, images=tar)
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    html = html_of(run_page("inspect", image="3"))
    assert "Say what to look for" in html
    assert "sp-chip" not in html.split("Why does a text score")[1].split("Nearest pictures")[0]
    nearest = html.split("Nearest pictures")[1]
    assert nearest.index('href="inspect?image=23"') == nearest.index('href="inspect?image=')
    assert re.search(">1\\.0+<", nearest)
    edited = html_of(run_page("inspect", image="3", edit=f"{LatentStore.open(path).code(3).latents[0]}:0"))
    assert "the original’s at 1.000" in edited


def test_addresses_are_escaped(shown: LatentStore) -> None:
    html = html_of(run_page("inspect", image="7", prompts='"><script>alert(1)</script>', where='"><b>x</b>'))
    assert "<script>" not in html
    assert '"><b>x' not in html


def test_too_many_texts_are_said_at_their_box(shown: LatentStore) -> None:
    app = run_page("inspect", image="7", prompts="\n".join("abcdefghi"), edit="x")
    html = html_of(app)
    assert re.search(r"</textarea><p [^>]*>At most 8 texts are scored at once; the first 8 are\.</p>", html)
    assert html.count("At most 8 texts") == 1
    assert html.index("“x” is no latent") < html.index("Sparse code")
