"""The house keeps its own rules: walls, mirror, sizes, safe writing, nothing of one machine, pinned versions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "napari_vol3d"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Modules without a test file of their own, each with the reason.
WITHOUT_TESTS: dict[str, str] = {}

MOST_LINES = 300
# Modules that are longer, each with the reason why there is no second job in it.
LONGER: dict[str, str] = {}

# Modules that may write files without `io.safe_write`, each with the reason. Modules of io may where they use it.
WRITERS = {
    "io/safe_write.py": "the safe writer itself",
    "engine/process.py": "the pipe to the parent, which is no file",
    "engine/checkpoint.py": "the engine's private folder; the parent copies the file to its place safely",
    "engine/fit.py": "the engine's private folder; the parent copies the file to its place safely",
    "pipeline/dataset.py": "unpacked scans in the engine's private folder",
    "io/progress_file.py": "lines that count what a label store holds, each on the disk before it counts",
    "pipeline/cache.py": "results that may be lost at any time; a damaged one is computed again",
    "review/damage.py": "a copy of a damaged journal in a private folder",
    "pipeline/exchange.py": "files in the engine's private folder, through which arrays pass to and from the engine",
    "pipeline/child.py": "the engine's log, in its private folder",
    "pipeline/handing.py": "copies of models in the engine's private folder",
    "engine/adopt.py": "the network that was made ready, in the engine's private folder; the parent copies it safely",
    "engine/serve.py": "scores of an example, in the engine's private folder",
    "pipeline/example.py": "a package's example on its way to the engine, in the engine's private folder",
    "io/network_files/h5_child.py": "arrays in the private folder of the one that asked for them",
    "pipeline/hand_out.py": "a made-up example on its way to the engine, in the engine's private folder",
}
WRITING_CALLS = {
    "dump", "imsave", "imwrite", "save", "save_img", "save_weights", "savetxt", "savez", "savez_compressed",
    "to_csv", "to_file_map", "to_filename", "tofile", "write_bytes", "write_text", "TiffWriter",
}  # fmt: skip
OPENING_CALLS = {"fdopen", "memmap", "open", "open_memmap"}
WRITING_MODE = re.compile(r"[rwax][bt+]*")

# Places of one machine, and addresses of package registries.
NEVER_IN_A_FILE = re.compile(
    r"(?<![\w.~-])/(?:root|work|home/\w+|Users/\w+|private/tmp|opt/(?:wheels|pypi))/"
    r"|[A-Z]:\\Users\\"
    r"|--(?:index-url|extra-index-url|find-links)"
    r"|https?://(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|anaconda\.org|debian\.org)\b"
)


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def test_imports_go_downwards_and_the_three_walls_stand() -> None:
    # In a process of its own: it configures logging anew, which silences the loggers that other tests listen to.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    checked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_module_has_its_test_file() -> None:
    missing = []
    for module in MODULES:
        test = ROOT / "tests" / module.relative_to(PACKAGE).parent / f"test_{module.name}"
        if not module.name.startswith("__") and name_of(module) not in WITHOUT_TESTS and not test.is_file():
            missing.append(test.relative_to(ROOT).as_posix())
    assert not missing, f"missing: {', '.join(missing)}"


def test_every_folder_of_modules_has_a_door_sign() -> None:
    # Without __init__.py a folder is invisible to the check of the walls.
    folders = {module.parent for module in MODULES}
    unsigned = [
        name_of(folder)
        for folder in sorted(folders)
        if not (folder / "__init__.py").is_file() or not ast.get_docstring(_parsed(folder / "__init__.py"))
    ]
    assert not unsigned


def test_no_module_is_longer_than_one_job() -> None:
    lengths = {name_of(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
    too_long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES and name not in LONGER}
    assert not too_long


def test_files_are_written_safely_or_in_a_private_folder() -> None:
    found = []
    for module in MODULES:
        tree = _parsed(module)
        safe = name_of(module).startswith("io/") and "napari_vol3d.io.safe_write" in set(_imported(tree))
        if not safe and name_of(module) not in WRITERS:
            found += [f"{name_of(module)}:{line}" for line in _writes(tree)]
    assert not found, f"use napari_vol3d.io.safe_write: {', '.join(found)}"


def test_modules_that_may_write_do_write() -> None:
    idle = [name for name in WRITERS if not (PACKAGE / name).is_file() or not list(_writes(_parsed(PACKAGE / name)))]
    assert not idle, f"take them out of WRITERS: {', '.join(idle)}"


@pytest.mark.parametrize(
    "code",
    [
        "np.save(path, a)", "nib.save(image, path)", "model.save('m.keras')", "open(path, 'w')",
        "open(path, mode='ab')", "path.open('wb')", "path.write_text(text)",
        "tifffile.imwrite(path, a)", "json.dump(a, file)", "np.memmap(path, np.uint8, 'r+')",
        "np.lib.format.open_memmap(path, 'w+')",
    ],
)  # fmt: skip
def test_the_search_for_writes_finds(code: str) -> None:
    assert list(_writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["open(path)", "path.open('rb')", "np.memmap(path, mode='r')", "write_text(path, text)", "json.dumps(a)"]
)
def test_the_search_for_writes_leaves_reading_alone(code: str) -> None:
    assert not list(_writes(ast.parse(code)))


def test_nothing_is_ever_unpickled() -> None:
    found = []
    for module in MODULES:
        tree = _parsed(module)
        if {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"} & set(_imported(tree)):
            found.append(name_of(module))
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not _is(node.value, False):
                found.append(f"{name_of(module)}:{node.value.lineno}")
    assert not found


def test_files_name_no_machine_and_no_registry() -> None:
    found = []
    for path in _committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # weights, samples, pictures
        for number, line in enumerate(text.splitlines(), start=1):
            if NEVER_IN_A_FILE.search(line):
                found.append(f"{path.relative_to(ROOT).as_posix()}:{number}")
    assert not found


def test_what_we_depend_on_is_pinned_to_a_version_that_fits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    versions = {canonicalize_name(name): Version(version) for name, version in pins.items()}
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (Requirement(line) for group in groups for line in group):
        name = canonicalize_name(requirement.name)
        if name != project["name"]:
            assert name in versions, f"{name} is not in constraints.txt"
            assert versions[name] in requirement.specifier


def _parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _writes(tree: ast.Module) -> Iterator[int]:
    """Give the lines of calls that write a file: those that are named so, and openings in a mode that writes."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        # `write_text(path, text)` is the safe writer's; `path.write_text(text)` is pathlib's.
        named = called in WRITING_CALLS and isinstance(node.func, ast.Attribute)
        if named or (called in OPENING_CALLS and _opens_for_writing(node)):
            yield node.lineno


def _opens_for_writing(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    modes = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return any(WRITING_MODE.fullmatch(mode) and set(mode) & set("wax+") for mode in modes)


def _is(node: ast.expr, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _committed() -> list[Path]:
    """Files that git has or would take; in a source archive without git, there is nothing to ask."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
