# Two commands: `make run` and `make test`. Either may come first; both set up what they need.
PORT ?= 8000
RUN = .venv/bin/python
export READINESS_ADDRESS ?= http://127.0.0.1:$(PORT)

help:
	@echo "make run       start Readiness with a demonstration cohort on http://127.0.0.1:$(PORT)"
	@echo "make test      run every test (SQLite, then PostgreSQL where it is installed)"
	@echo "make audit     the same with nothing left out: both languages everywhere, every text"
	@echo "make fuzz      send 50,000 hostile inputs to every address and to the instrument loader"
	@echo "make load      10,000 respondents within an hour (MINUTES=10: the sixth part of it)"
	@echo "make check     what continuous integration checks besides the tests"
	@echo "make faults    kill everything while people answer; every answer that was acknowledged is counted"
	@echo "make bench     measure speed, against others: a table, and benchmarks.json"
	@echo "make pictures  every page and state, and every PDF, to look at: pictures/index.html"

run:
	@.ci/environment run
	@$(RUN) manage.py demo
	@$(RUN) manage.py collectstatic --no-input --verbosity 0
	@echo "Readiness listens on http://127.0.0.1:$(PORT)/ (Ctrl-C stops it)"
	@exec .ci/serve 127.0.0.1:$(PORT) $$PPID

# Two runners on two processors: what each computes, it computes on one.
test: export OPENBLAS_NUM_THREADS = 1
# Each runner reads some 500 files, sooner where Python may keep what it made of them.
test: export PYTHONDONTWRITEBYTECODE =
# Three runners for two processors, for many tests wait for a server; a browser does not.
test:
	@.ci/environment test
	@.venv/bin/python -m pytest -n 3 --dist loadgroup -m "not browser"
	@.venv/bin/python -m pytest -n 2 --dist loadgroup -m browser tests/browser
	@.ci/with-postgresql .venv/bin/python -m pytest -n 3 --dist loadgroup -m "not browser and not pure and not drawn"

audit: export AUDIT = 1
audit: test

check:
	@.ci/environment test
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@$(RUN) manage.py makemigrations --check --dry-run
	@$(RUN) manage.py check

fuzz: export FUZZ ?= 55000
fuzz:
	@.ci/environment test
	@.ci/with-postgresql .venv/bin/python -m pytest -n 2 --dist loadgroup -q tests/fuzz

# An hour's pattern of 10,000 respondents on the real system. MINUTES=10 is a part of it at the same
# pace; LOAD_PEOPLE=2000 an hour of fewer; LOAD_REPORTS=0.3 the share that takes the PDF.
load: export FSYNC = on
load:
	@.ci/environment test
	@.ci/with-postgresql .venv/bin/python -m tests.load $(or $(MINUTES),60)

# About ten minutes; MINUTES=2 for a short look, SEED=… for the same again.
faults:
	@.ci/environment test
	@$(RUN) -m tests.faults --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

# Some fifteen minutes; ONLY="sitting report" for some of them.
bench: export FSYNC = on
bench: export ANYWAY = 1
bench:
	@.ci/environment bench
	@.ci/with-postgresql .venv/bin/python -m tests.benchmarks $(ONLY)

pictures:
	@.ci/environment test
	@.venv/bin/python -m pytest -q -m pictures
	@echo "Look at pictures/index.html"

.PHONY: help run test audit fuzz load check faults bench pictures
