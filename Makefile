# `make demo` and `make test` need nothing but Python 3.11 or newer: everything is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser lint format graph wheel clean

help:
	@echo "make demo    track the bundled clip and say where the results lie"
	@echo "make test    lint, types and tests"
	@echo "make test-browser  the page in a browser; installs Chromium where there is none (Debian, Ubuntu)"
	@echo "make lint    lint and types only"
	@echo "make format  put the code in the house's form"
	@echo "make graph   trace the default networks anew, for when their code has changed"
	@echo "make wheel   build the wheel into dist/"
	@echo "make clean   remove the environment and everything built"

demo: $(READY)
	$(BIN)/ebtrack demo --overwrite

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest \
	    -n $$($(BIN)/python -c 'import os; print(min(4, os.cpu_count() or 1))')

# The same tests are part of `make test`, which leaves them out where there is no Chromium.
test-browser: $(READY)
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { \
	    as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	    $$as_root apt-get update -q && $$as_root apt-get install -y -q chromium; }
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser -q

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The old one is of another structure, or the same file.
graph: $(READY)
	rm -f tracker/traced/*.onnx
	$(BIN)/python -m tracker.make_graph

wheel: $(READY)
	$(BIN)/python -m build --wheel --no-isolation

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are files, so a second call finds nothing to do.
$(BIN)/python:
	@for python in python3 python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	        echo "$$python cannot make environments: its venv module is missing." >&2; \
	        version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	        echo "Install it (Debian, Ubuntu: apt install python$$version-venv) and try again." >&2; \
	        exit 1; \
	    fi; \
	    echo "Making $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	done; \
	echo "ebtrack needs Python 3.11 or newer, and none is on the PATH (tried python3, python3.13, python3.12, python3.11)." >&2; \
	echo "Install one and try again." >&2; \
	exit 1

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,train,serve,browser]"
	@touch $@

# opencv-python links to libraries of the desktop, which servers and containers often lack.
$(READY): $(VENV)/.installed
	@if ! $(BIN)/python -c 'import cv2' 2>/dev/null; then \
	    echo "This machine lacks system libraries that opencv-python needs:"; \
	    $(BIN)/python -c 'import cv2' 2>&1 | tail -n 1; \
	    echo "Taking opencv-python-headless of the same version instead. Everything works but windows (--show, --select)."; \
	    $(BIN)/python -m pip uninstall --quiet --yes opencv-python && \
	    $(BIN)/python -m pip install --quiet --no-deps --force-reinstall -c constraints.txt opencv-python-headless && \
	    $(BIN)/python -c 'import cv2' || exit 1; \
	fi
	@touch $@
