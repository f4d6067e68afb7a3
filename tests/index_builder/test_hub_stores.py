"""Stores to the hub and back, with the real client and a server that speaks its protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from index_builder.commands import PullCommand, PushCommand
from index_builder.hub import pull as pulling
from index_builder.hub.card import make_card, plain
from index_builder.hub.places import HubError, Place, read_place
from index_builder.hub.pull import pull
from index_builder.hub.push import push
from index_builder.hub.putting import alone, put
from sae_core import LatentStore
from sae_core.errors import BuildError, StoreError
from sae_core.references import REPOSITORY_ROOT
from sae_core.store.checks import read_manifest
from tests.support.stores import make_store
from tests.support.writable_hub import Hub, Repository, serve

REPO = "org/a-store"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("built") / "store", n_images=60, n_latents=48, k=4)


@pytest.fixture
def store(built: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(built, tmp_path / "mine"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, and a client that is logged in there."""
    with serve(Hub()) as hub:
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def renamed(store: Path, name: str) -> None:
    """The same store with another name: one file differs."""
    said = json.loads((store / "manifest.json").read_text(encoding="utf-8"))
    (store / "manifest.json").write_text(json.dumps({**said, "name": name}, indent=2), encoding="utf-8")


def test_there_and_back_not_a_byte_differs(hub: Hub, store: Path, tmp_path: Path) -> None:
    assert "/commit/" in push(PushCommand(store, REPO))
    manifest = pull(PullCommand(f"hf://{REPO}", tmp_path / "out"))
    assert bytes_of(tmp_path / "out") == bytes_of(store)
    assert manifest == read_manifest(store)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]
    assert LatentStore.open(tmp_path / "out").n_images == 60


def test_an_encoder_of_this_machine_is_said(hub: Hub, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = read_manifest(store).encoder.ref.removeprefix("local-dir:")
    with caplog.at_level("WARNING", logger="sparsight"):
        push(PushCommand(store, REPO))
    assert f"the encoder is {folder} of this machine" in caplog.text
    card = hub.files(REPO)["README.md"].decode()
    assert folder not in card.replace("\\", "")
    assert r"local\-dir\:clip" in card
    assert "`SPARSIGHT_ENCODER` names a copy" in card
    manifest = read_manifest(store)
    public = manifest.model_copy(update={"encoder": manifest.encoder.model_copy(update={"ref": "demo"})})
    assert "SPARSIGHT_ENCODER" not in make_card(public, REPO, None)


def test_private_unless_said_otherwise(hub: Hub, store: Path) -> None:
    push(PushCommand(store, REPO))
    push(PushCommand(store, "org/open", public=True))
    assert hub.repositories[REPO].private
    assert not hub.repositories["org/open"].private


def test_only_what_the_manifest_lists_travels(hub: Hub, store: Path, tmp_path: Path) -> None:
    (store / "notes.sqlite").write_text("mine", encoding="utf-8")
    (tmp_path / "mine.hide.json").write_text("{}", encoding="utf-8")
    push(PushCommand(store, REPO))
    assert set(hub.files(REPO)) == {*read_manifest(store).files, "manifest.json", "README.md"}


def test_a_second_push_sends_what_has_changed(hub: Hub, store: Path) -> None:
    push(PushCommand(store, REPO))
    before, commit = len(hub.uploaded), hub.repositories[REPO].branches["main"]
    push(PushCommand(store, REPO))
    assert (len(hub.uploaded), hub.repositories[REPO].branches["main"]) == (before, commit)
    renamed(store, "Another name")
    push(PushCommand(store, REPO))
    assert len(hub.uploaded) == before + 1
    assert hub.files(REPO)["manifest.json"] == (store / "manifest.json").read_bytes()
    assert b"# Another name" in hub.files(REPO)["README.md"]


def test_files_that_a_store_no_longer_has_are_taken_away(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    hub.files(REPO)["of-somebody-else.txt"] = b"stays"
    bare = make_store(tmp_path / "bare", n_images=60, n_latents=48, k=4, thumbnails="none")
    push(PushCommand(bare, REPO))
    assert not {"thumbnails.bin", "thumbnails.npy"} & set(hub.files(REPO))
    assert "of-somebody-else.txt" in hub.files(REPO)


def test_a_push_that_was_interrupted_goes_on(hub: Hub, store: Path) -> None:
    hub.fail_after = 6
    with pytest.raises(HubError, match="the hub refused"):
        push(PushCommand(store, REPO))
    assert hub.files(REPO) == {}, "nothing half-written is to be seen"
    n_there, hub.fail_after = len(hub.uploaded), None
    assert n_there >= 6
    push(PushCommand(store, REPO))
    assert len(hub.uploaded) == len(set(hub.uploaded)), "nothing was sent twice"
    assert hub.files(REPO)["manifest.json"]


def test_a_pull_that_was_interrupted_goes_on(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    hub.fail_after = 8
    with pytest.raises(HubError):
        pull(PullCommand(REPO, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.pulling" / "manifest.json").is_file()
    came, hub.fail_after = hub.sent[:8], None
    hub.sent.clear()
    pull(PullCommand(REPO, tmp_path / "out"))
    assert bytes_of(tmp_path / "out") == bytes_of(store)
    assert not set(came) & set(hub.sent), "what was there is not fetched again"


def test_what_has_been_withdrawn_since_an_interrupted_pull_is_not_kept(hub: Hub, store: Path, tmp_path: Path) -> None:
    """As thumbnails are, where a store is pushed again without pictures."""
    push(PushCommand(store, REPO))
    withdrawn = tmp_path / ".out.pulling" / "thumbnails" / "old.bin"
    withdrawn.parent.mkdir(parents=True)
    withdrawn.write_bytes(b"a picture")
    pull(PullCommand(REPO, tmp_path / "out"))
    assert bytes_of(tmp_path / "out") == bytes_of(store)


def test_wrong_bytes_are_refused_and_fetched_again(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    right = hub.files(REPO)["embeddings.npy"]
    hub.files(REPO)["embeddings.npy"] = right[:-1] + bytes([right[-1] ^ 1])
    with pytest.raises(HubError, match=r"1 files are not what its manifest says: embeddings\.npy"):
        pull(PullCommand(REPO, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    hub.files(REPO)["embeddings.npy"] = right
    hub.sent.clear()
    pull(PullCommand(REPO, tmp_path / "out"))
    assert bytes_of(tmp_path / "out") == bytes_of(store)
    assert hub.sent.count("embeddings.npy") == 1


def test_a_branch_of_its_own(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    renamed(store, "An experiment")
    push(PushCommand(store, REPO, revision="experiment"))
    assert pull(PullCommand(REPO, tmp_path / "a")).name != "An experiment"
    assert pull(PullCommand(f"hf://{REPO}@experiment", tmp_path / "b")).name == "An experiment"
    assert pull(PullCommand(REPO, tmp_path / "c", revision="experiment")).name == "An experiment"


def test_what_lies_at_the_place(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    out = tmp_path / "out"
    out.mkdir()
    pull(PullCommand(REPO, out))  # an empty folder is a place
    hub.sent.clear()
    pull(PullCommand(REPO, out))  # the same store is there: nothing to do
    assert hub.sent in ([], ["manifest.json"])
    renamed(store, "Another one")
    push(PushCommand(store, REPO))
    with pytest.raises(HubError, match=r"another store lies at .*--replace"):
        pull(PullCommand(REPO, out))
    assert read_manifest(out).name != "Another one"
    pull(PullCommand(REPO, out, replace=True))
    assert bytes_of(out) == bytes_of(store)
    for place in (tmp_path / "a-file", tmp_path / "holiday"):
        (place.write_text("mine") if place.name == "a-file" else shutil.copytree(store / "codes", place))
        with pytest.raises(HubError, match="is there and is no store"):
            pull(PullCommand(REPO, place, replace=True))
        assert place.exists()
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_copy_is_replaced(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    out = tmp_path / "out"
    pull(PullCommand(REPO, out))
    (out / "embeddings.npy").write_bytes(b"")
    with pytest.raises(HubError, match=r"a damaged copy of that store lies at .*--replace"):
        pull(PullCommand(REPO, out))
    pull(PullCommand(REPO, out, replace=True))
    assert bytes_of(out) == bytes_of(store)


def test_one_pull_at_a_time_to_one_place(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    hold = "import sys; from pathlib import Path; from index_builder.hub.putting import alone\n"
    hold += "with alone(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "out")]
    with subprocess.Popen(
        command, cwd=REPOSITORY_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(BuildError, match=r"another pull is writing .*out"):
            pull(PullCommand(REPO, tmp_path / "out"))
        assert not hub.sent
        other.communicate("")
    pull(PullCommand(REPO, tmp_path / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_a_store_stays_where_the_new_one_cannot_be_put(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bytes_of(store)
    with pytest.raises(HubError, match="removed while it was fetched"):
        put(tmp_path / ".mine.pulling", store)
    assert bytes_of(store) == before
    new, rename = Path(shutil.copytree(store, tmp_path / ".mine.pulling")), Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self == new:
            raise PermissionError(13, "no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(PermissionError):
        put(new, store)
    assert bytes_of(store) == before


def test_a_store_that_a_killed_pull_moved_away_comes_back(hub: Hub, store: Path, tmp_path: Path) -> None:
    before = bytes_of(store)
    store.rename(tmp_path / ".mine.old")
    with pytest.raises(HubError, match="no data set"):
        pull(PullCommand("org/nothing", store, replace=True))
    assert bytes_of(store) == before
    with alone(store):
        assert [path.name for path in tmp_path.glob(".*")] == [".mine.lock"]


def test_a_broken_store_is_not_pushed(hub: Hub, store: Path) -> None:
    data = bytearray((store / "embeddings.npy").read_bytes())
    data[-3] ^= 1
    (store / "embeddings.npy").write_bytes(data)
    with pytest.raises(HubError, match="is not pushed, it has"):
        push(PushCommand(store, REPO))
    assert not hub.repositories


def test_a_hostile_repository_writes_nothing_beside(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    files = hub.files(REPO)
    files |= {"evil.pkl": b"cos\nsystem\n", "../../evil": b"x", ".cache/evil": b"x", "codes/evil.npy": b"x"}
    pull(PullCommand(REPO, tmp_path / "out"))
    assert bytes_of(tmp_path / "out") == bytes_of(store)
    said = json.loads(files["manifest.json"])
    said["files"]["../../evil"] = {"size": 1, "sha256": "0" * 64}
    files["manifest.json"] = json.dumps(said).encode()
    with pytest.raises(StoreError, match="files that do not belong in a store"):
        pull(PullCommand(REPO, tmp_path / "other"))
    assert not (tmp_path / "other").exists()
    assert not (tmp_path.parent / "evil").exists()


def test_a_disk_that_is_too_small_is_said_before(
    hub: Hub, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(PushCommand(store, REPO))
    hub.sent.clear()
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(pulling.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(HubError, match=r"needs 0\.00 GB, and 0\.00 GB are free"):
        pull(PullCommand(REPO, tmp_path / "out"))
    assert hub.sent == ["manifest.json"]


def test_everything_that_is_not_there_is_one_sentence(hub: Hub, store: Path, tmp_path: Path) -> None:
    push(PushCommand(store, REPO))
    hub.repositories["org/pictures"] = Repository(private=False)
    hub.gated.add("org/gated")
    hub.repositories["org/gated"] = Repository(private=False, commits={"0" * 40: {"manifest.json": b"{}"}})
    for said, sentence in (
        ("org/nothing", "the hub has no data set org/nothing, or it is private: log in with `hf auth login`"),
        (f"{REPO}@nowhere", f"{REPO} has no revision nowhere"),
        ("org/pictures", "org/pictures is no latent store: it has no manifest.json"),
        ("org/gated", "org/gated is gated: accept its terms on its page"),
    ):
        with pytest.raises(HubError) as caught:
            pull(PullCommand(said, tmp_path / "out"))
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_private_store_needs_the_right_token(
    hub: Hub, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(PushCommand(store, REPO))
    push(PushCommand(store, "org/open", public=True))
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match="or it is private"):
        pull(PullCommand(REPO, tmp_path / "out"))
    with pytest.raises(HubError, match="the hub does not know you"):
        push(PushCommand(store, "org/mine"))
    pull(PullCommand("org/open", tmp_path / "out"))


def test_a_card_has_the_figures_with_their_baselines(store: Path) -> None:
    manifest = read_manifest(store)
    report = manifest.report
    assert report.random_fvu is not None
    card = make_card(manifest, REPO, None)
    assert f"{report.fvu:.3f} (the mean embedding: 1; as many random directions: {report.random_fvu:.3f})" in card
    assert f"{report.cosine:.3f} (another image's: {report.random_pair_cosine:.3f})" in card
    both = manifest.model_copy(update={"report": report.model_copy(update={"random_fvu": 0.5, "picture_fvu": 0.25})})
    assert "(the mean embedding: 1; as many random pictures: 0.250; as many random directions: 0.500)" in make_card(
        both, REPO, None
    )
    older = manifest.model_copy(update={"report": report.model_copy(update={"random_fvu": None})})
    assert f"{report.fvu:.3f} (the mean embedding: 1) |" in make_card(older, REPO, None)


def test_a_card_is_markdown_and_nothing_else(store: Path) -> None:
    evil = "x\n---\nlicense: mit\n# <script>alert(1)</script> [a](javascript:b) | `c` **d** ![e](f) \u202e"
    manifest = read_manifest(store).model_copy(update={"name": evil})
    card = make_card(manifest, REPO, None)
    _, head, body = card.split("---\n", 2)
    said = yaml.safe_load(head)
    assert said["license"] == "other"
    assert "license: mit" in said["pretty_name"]
    assert "\n" not in said["pretty_name"]
    assert "sparse-autoencoder" in said["tags"]
    assert said["size_categories"] == ["n<1K"] or said["size_categories"] == "n<1K"
    for markup in ("<script", "[a](", "![e]", "**d**", "\u202e"):
        assert markup not in body
    assert f"python -m index_builder pull {REPO} --out stores/a-store" in body
    assert "No licence was named" in body
    assert yaml.safe_load(make_card(manifest, REPO, "cc-by-4.0").split("---\n")[1])["license"] == "cc-by-4.0"


def test_plain_text_is_shown_as_it_is() -> None:
    assert plain("a_b*c") == r"a\_b\*c"
    assert plain("<b>&amp;") == r"&lt;b\>&amp;amp;"
    assert plain("two\nlines\x00") == "two lines"


@pytest.mark.parametrize(
    ("said", "revision", "place"),
    [
        ("org/name", None, Place("org/name")),
        ("hf://org/name", None, Place("org/name")),
        ("hf://datasets/org/name@v1", None, Place("org/name", "v1")),
        ("org/name@refs/pr/3", None, Place("org/name", "refs/pr/3")),
        ("org/name", "v1", Place("org/name", "v1")),
        ("org/name@v1", "v1", Place("org/name", "v1")),
    ],
)
def test_places(said: str, revision: str | None, place: Place) -> None:
    assert read_place(said, revision) == place


@pytest.mark.parametrize(
    "said", ["", "name", "org/", "org/../x", "hf://", "https://x/org/name", "org/name@", "org/na me", "org/name@-x"]
)
def test_what_is_no_place(said: str) -> None:
    with pytest.raises(HubError, match="names no repository"):
        read_place(said)


def test_two_revisions_are_one_too_many() -> None:
    with pytest.raises(HubError, match="one revision and --revision another"):
        read_place("org/name@a", "b")


def test_the_command_line(hub: Hub, store: Path, tmp_path: Path) -> None:
    def run(endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(tmp_path / "home")}
        environment = os.environ | quiet | {"HF_ENDPOINT": endpoint}
        command = [sys.executable, "-m", "index_builder", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY_ROOT, env=environment, capture_output=True, text=True, check=False
        )

    done = run(hub.endpoint, "push", str(store), REPO, "--license", "cc-by-4.0")
    assert (done.returncode, "/commit/" in done.stdout) == (0, True), done.stderr
    done = run(hub.endpoint, "pull", REPO, "--out", str(tmp_path / "out"))
    assert (done.returncode, "60 images, 48 latents" in done.stdout) == (0, True), done.stderr
    done = run("http://127.0.0.1:9", "pull", REPO, "--out", str(tmp_path / "other"))
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (
        2,
        "error: the hub cannot be reached; the same command goes on where this one stopped",
    )
