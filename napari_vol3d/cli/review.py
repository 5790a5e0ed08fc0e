"""`napari-vol3d review new|status|predict|export|report|verify PROJECT ...`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_vol3d.core.progress import Progress

if TYPE_CHECKING:
    from napari_vol3d.core.labels import LabelClass
    from napari_vol3d.models.store import Model
    from napari_vol3d.review.project.records import Case
    from napari_vol3d.review.project.store import Project

SUFFIX = ".vol3d"
ROOM = "napari_vol3d.review.project"
EXPORTS = {
    "files": "export:export_files", "bids": "bids_export:export_bids", "training": "training_export:export_training",
    "figures": "figures:export_figures",
}  # fmt: skip


def add(commands: Any) -> None:
    """Add the command, with commands of its own."""
    sub: argparse.ArgumentParser = commands.add_parser(
        "review",
        help="make a worklist of scans, predict ahead, see how far it is, export what was accepted",
        description="A project is a worklist of scans in one file, which people open in the napari window. Here it is "
        "made, looked at, predicted and exported without one.",
    )
    own = sub.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add_one in (_add_new, _add_status, _add_predict, _add_export, _add_report, _add_verify):
        add_one(own)


def _add_new(commands: Any) -> None:
    sub = _command(commands, "new", new, "make a project of scans")
    sub.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE",
        help="folders of scans, BIDS data sets, tables (CSV or TSV with columns such as subject, session, T1, FLAIR, "
        "labels), scan files",
    )  # fmt: skip
    sub.add_argument("--name", help="what the project is called (default: as its file)")
    sub.add_argument("--model", help="name or folder of the model that predicts (see `napari-vol3d models`)")
    sub.add_argument("--classes", type=Path, metavar="FILE", help="table of labels, .json or .label (default: model's)")
    sub.add_argument("--priors", type=Path, metavar="FOLDER", help="labels to correct, called as their scans")


def _add_status(commands: Any) -> None:
    sub = _command(commands, "status", status, "say how far a project is")
    sub.add_argument("--json", type=Path, metavar="FILE", help="also write it to this file, without people's names")


def _add_predict(commands: Any) -> None:
    sub = _command(commands, "predict", predict, "predict the scans that have no prediction yet")
    sub.add_argument("--model", help="another model than the project's, or the folder where that is")
    sub.add_argument("--again", action="store_true", help="predict all scans, also those that have a prediction")
    sub.add_argument(
        "--look-where", choices=("unsure", "mirrored"), default="unsure",
        help="places to look at: where the model is unsure, or where mirrored passes disagree (slower)",
    )  # fmt: skip
    sub.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the network runs")


def _add_export(commands: Any) -> None:
    sub = _command(commands, "export", export, "write what was accepted")
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="made if absent")
    sub.add_argument(
        "--as", dest="kind", choices=tuple(EXPORTS), default="files",
        help="files: labels in each scan's own format (default); bids: derivatives; training: images, labels and "
        "splits for `napari-vol3d train`; figures: CSV and JSON",
    )  # fmt: skip
    sub.add_argument("--seed", type=int, default=1, help="of the split, with --as training")
    sub.add_argument("--validation-share", type=float, default=0.1, metavar="SHARE", help="of the subjects")
    sub.add_argument("--test-share", type=float, default=0.0, metavar="SHARE", help="of the subjects")


def _add_report(commands: Any) -> None:
    sub = _command(commands, "report", report, "write a report that any browser opens")
    sub.add_argument("file", type=Path, metavar="FILE.html")


def _add_verify(commands: Any) -> None:
    _command(commands, "verify", verify, "play each accepted version again from the log, and compare")


def _command(commands: Any, name: str, run: Any, words: str) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    sub.add_argument("project", type=Path, metavar="PROJECT", help=f"the project's file, {SUFFIX}")
    sub.set_defaults(run=run)
    return sub


def new(chosen: argparse.Namespace) -> int:
    """Find scans and make a project of them."""
    from napari_vol3d.models.store import find_model
    from napari_vol3d.review.project.gather import gather
    from napari_vol3d.review.project.store import Project

    path = _named(chosen.project)
    model = find_model(chosen.model) if chosen.model else None
    classes = _classes(chosen.classes, model)
    found = gather(chosen.sources, base=path.parent, priors=chosen.priors)
    for note in found.notes:
        sys.stderr.write(f"napari-vol3d: {note}\n")
    said = {} if model is None else _said_of(model)
    Project.create(path, name=chosen.name or path.stem, cases=found.cases, classes=classes, model=said)
    sys.stdout.write(f"{path}  {_about(found.cases, classes, model)}\n")
    return 0


def status(chosen: argparse.Namespace) -> int:
    """Print how far a project is."""
    from napari_vol3d.cli.review_status import status_for_people, status_for_programs
    from napari_vol3d.io.safe_write import write_text
    from napari_vol3d.review.project.outgoing import refuse_ending, refuse_own_file

    project = _open(chosen.project)
    if chosen.json:
        refuse_ending(chosen.json, ".json")
        refuse_own_file(project, chosen.json)
    sys.stdout.write(status_for_people(project) + "\n")
    if chosen.json:
        write_text(chosen.json, status_for_programs(project) + "\n")
    return 0


def verify(chosen: argparse.Namespace) -> int:
    """Play each version again."""
    from napari_vol3d.cli.bar import run_with_bar
    from napari_vol3d.cli.review_verify import print_verdict, verify_versions

    return print_verdict(*run_with_bar(verify_versions(_open(chosen.project)), title="verify", unit="reading"))


def predict(chosen: argparse.Namespace) -> int:
    """Predict scan after scan."""
    from napari_vol3d.cli.review_predict import predict_cases

    asked = {name: getattr(chosen, name) for name in ("model", "again", "look_where", "device")}
    return predict_cases(_open(chosen.project), **asked)


def export(chosen: argparse.Namespace) -> int:
    """Write what was accepted."""
    from napari_vol3d.cli.bar import run_with_bar

    more = {}
    if chosen.kind == "training":
        more = {name: getattr(chosen, name) for name in ("seed", "validation_share", "test_share")}
    verb = _verb(EXPORTS[chosen.kind])(_open(chosen.project), chosen.folder, **more)
    made = run_with_bar(verb, title=f"export {chosen.kind}", unit="scan")
    for note in getattr(made, "notes", ()):
        sys.stderr.write(f"napari-vol3d: {note}\n")
    sys.stdout.write(f"{chosen.folder}\n")
    return 0


def report(chosen: argparse.Namespace) -> int:
    """Write the report."""
    from napari_vol3d.cli.bar import run_with_bar

    verb: Generator[Progress, None, Any] = _verb("report:write_report")(_open(chosen.project), chosen.file)
    run_with_bar(verb, title="report", unit="scan")
    sys.stdout.write(f"{chosen.file}\n")
    return 0


def _open(path: Path) -> Project:
    from napari_vol3d.review.project.store import Project

    project = Project.open(path if path.exists() else _named(path))
    if project.journal.recovery is not None:
        sys.stderr.write(f"napari-vol3d: {project.journal.recovery.words}\n")
    return project


def _named(path: Path) -> Path:
    return path if path.suffix else path.with_name(path.name + SUFFIX)


def _verb(entry: str) -> Any:
    module, function = entry.split(":")
    return getattr(import_module(f"{ROOM}.{module}"), function)


def _classes(path: Path | None, model: Model | None) -> tuple[LabelClass, ...]:
    from napari_vol3d.io.label_files import read_itksnap, read_sidecar

    if path is None:
        return () if model is None else model.card.output.classes
    return read_itksnap(path) if path.suffix.lower() in (".label", ".txt") else read_sidecar(path)


def _said_of(model: Model) -> dict[str, str]:
    """Give what a project keeps of a model: no folder, which would be another one elsewhere."""
    return {"name": model.card.name, "version": model.card.version, "sha256": model.card.weights.sha256}


def _about(cases: tuple[Case, ...], classes: tuple[LabelClass, ...], model: Model | None) -> str:
    priors = sum(case.prior is not None for case in cases)
    by = "no model" if model is None else f"{model.card.name} {model.card.version}"
    named = ", ".join(item.name for item in classes) or "none yet"
    return f"{len(cases)} cases, {priors} with labels to correct; {by}; classes: {named}"
