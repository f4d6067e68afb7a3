"""The commands as a person types them: exit codes, one sentence for an error, and what scripts read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from index_builder import outcome
from index_builder.cli import main
from index_builder.train import parted
from sae_core import LatentStore, load_sae
from sae_core.references import REPOSITORY_ROOT
from sae_core.sae.checkpoint import save_sae
from sae_core.training.record import recorded
from tests.support.pictures import make_folder, make_tar
from tests.support.stores import make_store

NOWHERE = "build --images /nowhere --encoder demo --sae demo --out out".split()
REUSED = "build --images assets/demo --encoder demo --sae demo --out out --reuse".split()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("cli") / "store", 40)


def build_arguments(store: Path, out: Path, **changes: str) -> list[str]:
    inputs = store.with_name(store.name + ".inputs")
    names: dict[str, object] = {
        "--encoder": f"local-dir:{inputs / 'clip'}",
        "--sae": inputs / "sae",
        "--out": out,
        "--workers": 0,
        "--device": "cpu",
    }
    names |= {f"--{option.replace('_', '-')}": value for option, value in changes.items()}
    return ["build", *[str(part) for pair in names.items() for part in pair]]


def test_build_says_what_came_of_every_input(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    make_folder(tmp_path / "pictures", 9, {4: b"", 5: b"text", 7: b"text"})
    assert main([*build_arguments(store, tmp_path / "mine"), "--images", str(tmp_path / "pictures")]) == 0
    said = capsys.readouterr()
    assert "6 images, 3 rejected" in said.out
    assert "rejected 2: not-a-picture" in said.out and "rejected 1: empty" in said.out
    assert "0004.png: the file is empty" in said.out and "all of them" not in said.out
    assert re.search(rf"SPARSIGHT_STORE={re.escape(str(tmp_path / 'mine'))} (\S+/)?streamlit run app\.py", said.out)
    assert "cosine" in caplog.text and "random pairs" in caplog.text
    assert said.err.index("assemble: 100%") < said.err.index("analyse"), "a bar ends before the next begins"
    assert "encode: 100%" in said.err and "img/s" in said.err and "rejected=3" in said.err
    assert LatentStore.open(tmp_path / "mine").manifest.name == "mine"


def test_an_sae_that_is_no_better_than_random_directions_is_said_with_the_way_out(store: Path, tmp_path: Path) -> None:
    manifest = LatentStore.open(store).manifest

    def said(fvu: float, random: float | None) -> str:
        report = manifest.report.model_copy(update={"fvu": fvu, "random_fvu": random})
        return outcome.outcome(tmp_path / "my store", manifest.model_copy(update={"report": report}))

    for fine in (said(0.2, 0.3), said(1.4, None)):
        assert "WARNING" not in fine
    line = next(line for line in said(1.4, 0.3).splitlines() if "WARNING" in line)
    assert "FVU of 1.400, no less than 64 random directions do (0.300)" in line
    assert (
        f"train-sae --embeddings '{tmp_path / 'my store'}'" in line and "--encoder" in line and "recode --sae" in line
    )


def test_a_build_and_a_recoding_end_with_that_warning(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_tar(tmp_path / "pictures.tar", 40)
    sae = load_sae(str(store.with_name(store.name + ".inputs") / "sae"))
    torch.manual_seed(0)
    with torch.no_grad():
        sae.W_dec.copy_(torch.randn_like(sae.W_dec))
    strange = str(save_sae(sae, tmp_path / "strange"))
    arguments = build_arguments(store, tmp_path / "mine", sae=strange, images=str(tmp_path / "pictures.tar"))
    assert main(arguments) == 0
    assert "no better than chance. Check that --encoder" in capsys.readouterr().out
    assert main(["recode", str(store), "--sae", strange, "--out", str(tmp_path / "other"), "--device", "cpu"]) == 0
    assert "no better than chance. Check that --encoder" in capsys.readouterr().out


def test_the_way_to_look_at_a_store_is_one_that_this_shell_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = tmp_path / "my env" / "bin"
    beside.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert outcome._streamlit() == "streamlit"  # none beside this Python: then it is where people put it
    (beside / "streamlit").touch(mode=0o755)
    assert outcome._streamlit() == str(beside / "streamlit")
    monkeypatch.chdir(tmp_path)
    assert outcome._streamlit() == "my env/bin/streamlit"
    monkeypatch.setenv("PATH", str(beside))
    assert outcome._streamlit() == "streamlit"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": "/nowhere"}, "no folder, no tar and no Parquet file at /nowhere"),
        ({"sae": "/nowhere/at/all/x"}, "no file, no folder and no hub id"),
        ({"encoder": "ViT-B-16:openai"}, "QuickGELU"),
        ({"limit": "0"}, "--limit 0 leaves no picture"),
        ({"k": "0"}, "--k 0 keeps nothing"),
        ({"sae": "my-sae"}, "no file and no folder my-sae, and a hub id is ORG/NAME"),
        ({"memory": "inf"}, "--memory inf is not"),
        ({"memory": "1e300"}, "--memory 1e+300 is not"),
        ({"memory": "nan"}, "--memory nan is not"),
        ({"batch_size": "0"}, "at least 1"),
        ({"name": "n\udcff"}, "--name n\\xff is no UTF-8"),
        ({"encoder": "local-dir:e\udcff"}, "--encoder local-dir:e\\xff is no UTF-8"),
        ({"device": "cuda"}, "sees no GPU"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], said: str
) -> None:
    import torch

    if "device" in change and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    make_folder(tmp_path / "pictures", 3)
    arguments = build_arguments(store, tmp_path / "mine", **{"images": str(tmp_path / "pictures")} | change)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and said in error and "\n" not in error
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("o\udcff", "--out o\\xff is no UTF-8"),
        ("/dev/null/x", "nothing can be written at /dev/null/x ("),
        ("/proc/x/y", "nothing can be written at /proc/x/y (No such file or directory)"),
        ("n" * 300, "(File name too long)"),
        (".", "holds other things (pictures)"),
    ],
)
def test_an_out_that_is_no_place_for_a_store(
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    train = ["train-sae", "--embeddings", str(store), "--latents", "9", "--k", "2", "--steps", "2", "--out", out]
    images = str(make_folder(tmp_path / "pictures", 3))
    for command in (build_arguments(store, Path(out), images=images), ["recode", str(store), "--out", out], train):
        assert main(command) == 2
        error = capsys.readouterr().err
        there = said if command is train or out != "." else f"{tmp_path} exists and is no store"
        assert error.startswith("error: ") and there in error and error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_a_folder_that_one_may_not_write_to_is_told_before_any_model_is_loaded(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, shut = make_folder(tmp_path / "pictures", 3), tmp_path / "shut"
    shut.mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != shut)  # root may write anywhere
    for command in (
        build_arguments(store, shut / "mine", images=str(images), encoder="local-dir:nowhere"),
        ["recode", str(store), "--sae", "nowhere", "--out", str(shut / "mine")],
        ["train-sae", "--embeddings", str(store), "--latents", "9", "--k", "2", "--steps", "2", "--out", str(shut)],
        ["pull", "ORG/NAME", "--out", str(shut / "mine")],
    ):
        assert main(command) == 2
        out = command[command.index("--out") + 1]
        said = f"error: nothing can be written at {out} (Permission denied): choose another --out\n"
        assert capsys.readouterr().err == said
    assert not [*shut.iterdir()]


def test_the_folder_that_one_is_in_is_a_place(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    make_folder(tmp_path / "pictures", 3)
    command = build_arguments(store, Path(), images="../pictures")
    monkeypatch.chdir(tmp_path / "mine")
    assert main(command) == 0
    monkeypatch.chdir(tmp_path / "mine")
    assert main(command) == 0
    assert LatentStore.open(tmp_path / "mine").manifest.name == "mine"
    assert f"SPARSIGHT_STORE={tmp_path / 'mine'} " in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "pictures"]


def test_an_option_given_twice_is_not_half_forgotten(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--images", "b"], ["--images=b"]):
        assert main([*build_arguments(store, tmp_path / "mine", images="a"), *more]) == 2
        assert capsys.readouterr().err == "error: --images is given twice\n"


def test_files_as_a_shell_names_them(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tars").mkdir()
    tars = [str(make_tar(tmp_path / "tars" / f"{number}.tar", 3)) for number in (1, 0)]
    assert main([*build_arguments(store, tmp_path / "mine"), "--images", *tars]) == 0
    built = LatentStore.open(tmp_path / "mine")
    assert (built.n_images, built.manifest.source.name) == (6, "tars")
    assert main(build_arguments(store, tmp_path / "mine", images=str(tmp_path / "tars" / "*.tar"))) == 0
    assert "6 images" in capsys.readouterr().out, "and the pattern finds that store already built"


def test_a_gpu_that_is_too_small_is_told_how_to_do_with_less(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore lines.")

    monkeypatch.setattr("index_builder.engines.encode_shards", full)
    make_folder(tmp_path / "pictures", 3)
    assert main(build_arguments(store, tmp_path / "mine", images=str(tmp_path / "pictures"))) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        "error: CUDA out of memory. Tried to allocate 2.00 GiB. A smaller --batch-size takes less. ("
    )


def test_many_rejects_are_named_in_the_file_that_the_build_points_to(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path / "pictures", 9, dict.fromkeys(range(2, 7), b"text"))
    assert main([*build_arguments(store, tmp_path / "mine"), "--images", str(tmp_path / "pictures")]) == 0
    said = capsys.readouterr().out
    assert f"all of them: {tmp_path / 'mine' / 'rejects.parquet'}" in said
    assert said.count("the file is no picture") == 3


def test_names_with_commands_for_the_terminal_are_spelled_out(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "pictures", 3)
    (folder / "a\x1b[2J\nb.png").write_bytes(b"")
    assert main(build_arguments(store, tmp_path / "mine", images=str(folder))) == 0
    assert "  a\\x1b[2J\\nb.png: the file is empty\n" in capsys.readouterr().out
    assert main(build_arguments(store, tmp_path / "mine", images="no\x1b\nwhere")) == 2
    assert capsys.readouterr().err.endswith(" at no\\x1b\\nwhere\n")


def test_a_home_folder_in_a_path_is_one(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(store.parent))
    assert main(["info", f"~/{store.name}"]) == 0
    make_folder(tmp_path / "pictures", 3)
    monkeypatch.chdir(tmp_path)
    home = Path(f"~/{tmp_path.name}-mine")
    assert main([*build_arguments(store, home), "--images", str(tmp_path / "pictures")]) == 0
    assert (store.parent / home.name / "manifest.json").is_file() and not Path("~").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["build", "--nonsense"], ["info", "STORE"], NOWHERE, [*REUSED, "/nowhere"], [*REUSED, "tests"]],
)
def test_what_needs_no_model_does_not_wait_for_pytorch(store: Path, arguments: list[str]) -> None:
    given = [str(store) if argument == "STORE" else argument for argument in arguments]
    program = (
        "import sys\nfrom index_builder.cli import main\n"
        f"try:\n    main({given!r})\nexcept SystemExit:\n    pass\n"
        "print('imported:', *sorted({'torch', 'timm', 'open_clip'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported:"


@pytest.mark.parametrize("arguments", [[], ["rebuild"], ["build"], ["build", "--images"], ["info"]])
def test_bad_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_verify_and_info(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(store)]) == 0
    assert "sound" in capsys.readouterr().out
    assert main(["verify", str(tmp_path)]) == 2
    assert "1 defect" in capsys.readouterr().out
    assert main(["info", str(store)]) == 0
    said = capsys.readouterr().out
    assert "40 images" in said
    assert main(["info", str(store), "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["n_images"] == 40
    assert f"(as many random directions {manifest['report']['random_fvu']:.3f})" in said
    assert main(["info", str(tmp_path)]) == 2
    assert "no manifest.json" in capsys.readouterr().err


@pytest.mark.parametrize("from_store", [True, False])
def test_train_sae_from_a_store_and_from_a_file(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, from_store: bool
) -> None:
    opened = LatentStore.open(store)
    np.save(tmp_path / "x.npy", np.stack([opened.embedding(image_id) for image_id in range(40)]))
    source = store if from_store else tmp_path / "x.npy"
    sizes = ["--latents", "48", "--k", "3", "--steps", "40", "--batch-size", "16"]
    assert main(["train-sae", "--embeddings", str(source), "--out", str(tmp_path / "sae"), *sizes]) == 0
    said = capsys.readouterr()
    assert all(word in said.err for word in ("40/40", "fvu=", "l0=", "dead="))
    assert "FVU" in caplog.text and "48 latents, k 3" in said.out
    assert load_sae(tmp_path / "sae").config.k == 3
    assert main(["train-sae", "--embeddings", str(source), "--out", str(tmp_path / "sae"), *sizes]) == 2
    assert "already holds an SAE" in capsys.readouterr().err


def test_training_writes_into_no_folder_of_others(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(out: Path, *more: str) -> int:
        return main(["train-sae", "--embeddings", str(store), "--latents", "48", "--out", str(out), *more])

    before = sorted(store.iterdir())
    assert train(store) == 2 and "holds other things (codes, " in capsys.readouterr().err
    assert sorted(store.iterdir()) == before
    assert train(tmp_path / "sae", "--k", "3", "--seed", "-1") == 2
    np.save(tmp_path / "x.npy", np.full((4, 8), 7, np.float32))
    unnormed = ["train-sae", "--embeddings", str(tmp_path / "x.npy"), "--latents", "9", "--k", "2"]
    assert main([*unnormed, "--out", str(tmp_path / "sae")]) == 2
    assert not (tmp_path / "sae").exists(), "a run that has made nothing leaves nothing"


def test_two_trainings_of_one_folder_do_not_meet(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = ["--latents", "48", "--k", "3", "--batch-size", "16", "--out", str(tmp_path / "sae")]
    command = ["train-sae", "--embeddings", str(store), *sizes]
    program = [sys.executable, "-m", "index_builder", *command, "--steps", "1000000"]
    with subprocess.Popen(program, cwd=REPOSITORY_ROOT, stderr=subprocess.PIPE, text=True) as other:
        assert other.stderr
        line = other.stderr.readline()
        try:
            assert main([*command, "--steps", "2"]) == 2, line
            assert "another run is writing" in capsys.readouterr().err
        finally:
            other.kill()
    assert main([*command, "--steps", "2"]) == 0
    assert not list((tmp_path / "sae").glob("training*"))


def test_training_more_latents_than_there_are_pictures_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "x.npy", np.eye(16, dtype=np.float32))
    for latents, said in ((16, False), (17, True)):
        where = ["--embeddings", str(tmp_path / "x.npy"), "--out", str(tmp_path / f"sae-{latents}")]
        assert main(["train-sae", *where, "--latents", str(latents), "--k", "4", "--steps", "2"]) == 0
        assert ("16 embeddings are few for 17 latents" in caplog.text) is said


def test_a_share_is_held_out_and_what_is_left_of_it_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An SAE of as many latents as embeddings learns these by heart, and not those that it never saw."""
    x = np.random.default_rng(0).normal(size=(200, 24)).astype(np.float32)
    np.save(tmp_path / "x.npy", x / np.linalg.norm(x, axis=1, keepdims=True))
    sizes = ["--latents", "160", "--k", "2", "--steps", "300", "--batch-size", "80"]
    train = ["train-sae", "--embeddings", str(tmp_path / "x.npy"), *sizes]
    assert main([*train, "--held-out", "0.2", "--out", str(tmp_path / "sae")]) == 0
    assert "on the embeddings it was trained on: " in caplog.text and "on 40 held out: " in caplog.text
    record = recorded(tmp_path / "sae")
    assert record is not None and (record.n_embeddings, record.n_held_out) == (160, 40)
    assert record.fvu_held_out > record.fvu + 0.05
    kept, held_out = parted(torch.from_numpy(np.load(tmp_path / "x.npy")), 0.2, seed=0)
    assert len(torch.cat([kept, held_out]).unique(dim=0)) == 200
    left = held_out - (sae := load_sae(tmp_path / "sae")).decode(sae.encode(held_out))
    about = held_out - held_out.mean(0)
    assert record.fvu_held_out == pytest.approx(float((left**2).sum() / (about**2).sum()), rel=1e-4)
    assert main([*train, "--held-out", "0", "--out", str(tmp_path / "all")]) == 0
    assert recorded(tmp_path / "all") is None
    assert main([*train, "--held-out", "0.6", "--out", str(tmp_path / "o")]) == 2
    assert "--held-out is a share from 0 to 0.5, not 0.6" in capsys.readouterr().err


def test_a_store_says_what_its_sae_left_of_what_was_held_out(store: Path, tmp_path: Path) -> None:
    sizes = ["--latents", "48", "--k", "3", "--steps", "40", "--batch-size", "16", "--held-out", "0.5"]
    assert main(["train-sae", "--embeddings", str(store), "--out", str(tmp_path / "sae"), *sizes]) == 0
    assert main(["recode", str(store), "--sae", str(tmp_path / "sae"), "--out", str(tmp_path / "recoded")]) == 0
    known, record = LatentStore.open(tmp_path / "recoded").manifest.sae, recorded(tmp_path / "sae")
    assert record is not None and known.fvu_held_out == pytest.approx(record.fvu_held_out)
    assert LatentStore.open(store).manifest.sae.fvu_held_out is None


def test_training_on_what_is_no_embeddings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.npy").write_text("no array")
    assert (
        main(["train-sae", "--embeddings", str(tmp_path / "x.npy"), "--latents", "64", "--out", str(tmp_path / "o")])
        == 2
    )
    error = capsys.readouterr().err
    assert "neither a store nor a .npy" in error and "pickle" not in error, "no advice to load it unsafely"
    np.save(tmp_path / "y.npy", np.eye(4, dtype=np.complex64))
    np.save(tmp_path / "z.npy", np.full((4, 4), 2, dtype=np.float32))
    for name, said in (("y", "it holds complex64, not real numbers"), ("z", "must be finite and of unit norm")):
        sizes = ["--latents", "2", "--k", "1", "--out", str(tmp_path / "o")]
        assert main(["train-sae", "--embeddings", str(tmp_path / f"{name}.npy"), *sizes]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and said in error and error.count("\n") == 1, "and no bar before it"
