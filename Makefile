# Two commands: `make run` and `make test`. Either may come first; both set up what they need.
PORT ?= 8000
RUN = .venv/bin/python
export READINESS_ADDRESS ?= http://127.0.0.1:$(PORT)

help:
	@echo "make run       start Readiness with a demonstration cohort on http://127.0.0.1:$(PORT)"
	@echo "make test      run every test (SQLite, then PostgreSQL where it is installed)"
	@echo "make check     what continuous integration checks besides the tests"
	@echo "make faults    kill everything while people answer; every answer that was acknowledged is counted"
	@echo "make pictures  every page and state, and every PDF, to look at: pictures/index.html"

run:
	@.ci/environment run
	@$(RUN) manage.py demo
	@$(RUN) manage.py collectstatic --no-input --verbosity 0
	@echo "Readiness listens on http://127.0.0.1:$(PORT)/ (Ctrl-C stops it)"
	@exec .ci/serve 127.0.0.1:$(PORT)

# Two runners on two processors: what each computes, it computes on one.
test: export OPENBLAS_NUM_THREADS = 1
test:
	@.ci/environment test
	@.venv/bin/python -m pytest -n 2 --dist loadgroup -m "not browser"
	@.venv/bin/python -m pytest -n 2 --dist loadgroup -m browser tests/browser
	@.ci/with-postgresql .venv/bin/python -m pytest -n 2 --dist loadgroup -m "not browser and not pure and not drawn"

check:
	@.ci/environment test
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@$(RUN) manage.py makemigrations --check --dry-run
	@$(RUN) manage.py check

# About ten minutes; MINUTES=2 for a short look, SEED=… for the same again.
MINUTES ?= 10
faults:
	@.ci/environment test
	@$(RUN) -m tests.faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

pictures:
	@.ci/environment test
	@.venv/bin/python -m pytest -q -m pictures
	@echo "Look at pictures/index.html"

.PHONY: help run test check faults pictures
