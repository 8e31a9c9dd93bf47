# The short names of everything one does here. `make` alone prints the menu.

.DEFAULT_GOAL := menu
.PHONY: menu run stop demo test test-packaged chaos fuzz bench check format lock pictures clean
python := .venv/bin/python

menu:
	@echo "Runout: what runs out, when, and what to order from whom"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Variables (PORT=8600, DEMO=0, ...) are explained in .env.example."

run: .venv/.installed ## start everything: database, demo shop, dashboard (Ctrl-C stops it)
	@exec $(python) -m jobs.run

stop: .venv/.installed ## end a running `make run` and the embedded database
	@exec $(python) -m jobs.run stop

demo: .venv/.installed ## load the demo shop into an empty database and train it
	@$(python) -m db demo && $(python) -m jobs train

test: .venv/.installed ## run all tests (installs Chromium when it may)
	@.ci/prepare tests
	@$(python) -m pytest -n 2 --dist loadfile $(ARGS)

test-packaged: .venv/.installed ## the ledger's tests on the PostgreSQL that Debian packages
	@.ci/prepare packaged
	@$(python) -m tests.packaged

chaos: .venv/.installed ## the long tests: clients and database killed in the middle of work
	@$(python) -m tests.chaos bank --acked 20000 $(ARGS)
	@$(python) -m tests.chaos http --acked 20000 $(ARGS)
	@$(python) -m tests.chaos mutants

fuzz: .venv/.installed ## 20,000 made-up requests by five callers against the API (ARGS="--cases 2000" for few)
	@$(python) -m tests.fuzz $(ARGS)

bench: .venv/.installed ## measure: every script of bench/, each prints ratios
	@for script in $$(grep -l '^if __name__' bench/*.py); do echo "== $$script"; $(python) -m "bench.$$(basename "$$script" .py)" || exit 1; done

check: .venv/.installed ## formatting and lint
	@$(python) -m ruff format --check . && $(python) -m ruff check .

format: .venv/.installed ## put the code into form
	@$(python) -m ruff format . && $(python) -m ruff check --fix .

lock: .venv/.installed ## pin all requirements anew (UPGRADE=1 takes the newest versions)
	@$(python) -m pip install --quiet uv
	@$(python) -m uv pip compile pyproject.toml --group test --universal --generate-hashes --quiet \
		$(if $(UPGRADE),--upgrade) --custom-compile-command "make lock" -o requirements.txt

pictures: .venv/.installed ## take the pictures of the README from the running demo
	@$(python) docs/pictures.py

clean: ## remove the virtual environment and caches, never the data
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -not -path './.runout/*' -prune -exec rm -rf {} +

.venv/.installed: requirements.txt
	@.ci/prepare venv
