# napari-vol3d: `make demo` to see it, `make test` to check it. Both set up all they need; the second time is quick.
# Linux and macOS. On Windows, and without make, the README has the plain pip way.

VOL3D_DATA ?= ../shared/data
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-pyqt6 check lint venv bench-env clean model samples

help: ## say what there is
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

demo: venv ## open napari on a sample scan, segment it, show the overlay
	@sh scripts/run_demo.sh

test: check ## all checks and all tests; the window's run on PyQt5 in a virtual screen
	@sh scripts/system_libraries.sh pyqt5 xvfb
	@sh scripts/run_tests.sh .venv all

test-pyqt6: ## the window's tests on PyQt6, in an environment of its own
	@sh scripts/system_libraries.sh pyqt6 xvfb
	@sh scripts/make_venv.sh .venv-pyqt6 pyqt6,test
	@QT_API=pyqt6 sh scripts/run_tests.sh .venv-pyqt6 gui

check: venv ## style, types and walls
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lint: check ## check, and spelling
	$(BIN)/typos

venv: ## make .venv and install everything
	@sh scripts/make_venv.sh .venv all,test,dev

bench-env: ## make .venv-bench: the project, and what the benchmarks compare it with
	@sh scripts/make_venv.sh .venv-bench all
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt

model: venv ## train the bundled model again, into out/ (hours)
	$(BIN)/napari-vol3d train --data $(VOL3D_DATA)/hippocampus --recipe hippocampus-t1 --out out/hippocampus-t1

samples: venv ## make the sample volumes again
	$(BIN)/python sample_data/make_samples.py --data $(VOL3D_DATA)/hippocampus

clean: ## remove everything that make made, but for out/
	rm -rf .venv .venv-pyqt6 .venv-bench build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find napari_vol3d tests sample_data scripts -name __pycache__ -type d -prune -exec rm -rf {} +
