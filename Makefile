# make run | test | whole | lab | ui: each sets up what it needs (a virtual environment from the hashed lock) first.
# The system's own Python where it will do: distributions optimize theirs by a profile, pyenv doesn't unless told to, and the
# same code takes up to half as long again there.
PYTHON ?= $(shell for p in /usr/bin/python3 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
AUDIT := .venv-audit
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps -r
# The lock's pip, which needs half the time of Python 3.11's, installs the rest: as it works on one core, two of them take
# half of the lock each, requirement by requirement.
INSTALL := awk '/^[^ \#]/ { is_pip = /^pip==/ } is_pip' requirements.lock > $(VENV)/pip.lock && $(PIP) $(VENV)/pip.lock && \
	printf '0\n1\n' | xargs -P 2 -n 1 sh -ec \
	'awk -v half=$$1 "/^[^ \#]/ { n++ } n % 2 == half" requirements.lock > $(VENV)/$$1.lock; exec $(PIP) $(VENV)/$$1.lock' install
# It compiles on one core, too; this on all of them, and no library's own tests nor what is large and seldom imported.
SELDOM := site-packages.*[/\\](tests?|testing|phonenumbers|validators|graph_objs|lexers|_vendored|pyspark|databricks|faker|pip|setuptools)[/\\]
COMPILE := import compileall, re, sysconfig; [compileall.compile_dir(folder, \
	quiet=2, workers=0, rx=re.compile(r"$(SELDOM)")) for folder in (sysconfig.get_path("purelib"), "src")]
# Where a machine says not to keep compiled code, each command would compile all of ours again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test whole adversity lab ui lint lock benchmarks sbom licences audit clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 that can make virtual environments (Debian, Ubuntu: apt install python3-venv); name one with PYTHON=/path/to/python"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL)
	$(BIN)/python -c '$(COMPILE)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

run: $(READY)
	$(BIN)/workbench run params/taiwan_cards.yaml params/simulated_bank.yaml

test: $(READY) lint
	$(BIN)/python -m pytest

# What takes minutes and whose quick part runs in `make test`: studies to their last page, long lists, many seeds.
whole: $(READY)
	$(BIN)/python -m pytest --ignore=tests/adversity -m whole

# One suite alone by `make adversity SUITE=kills`: its lines of docs/reliability.md are written anew, the others stay.
adversity: $(READY)
	WORKBENCH_RELIABILITY=1 $(BIN)/python -m pytest tests/adversity$(SUITE:%=/test_%.py) -m "whole or not whole"

lint: $(READY)
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/lint-imports --no-cache

lab: $(READY)
	$(BIN)/workbench run params/sample.yaml params/sample_customers.yaml
	$(BIN)/workbench lab

ui: $(READY)
	$(BIN)/workbench ui

$(PEERS)/.ready: benchmarks/peers.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r benchmarks/peers.lock
	touch $(PEERS)/.ready

benchmarks: $(READY) $(PEERS)/.ready
	$(BIN)/python benchmarks/discrimination.py $(PEERS)/samples
	$(PEERS)/bin/python benchmarks/peers.py $(PEERS)/samples
	$(BIN)/python benchmarks/special_codes.py $(PEERS)/samples
	$(PEERS)/bin/python benchmarks/special_codes.py $(PEERS)/samples --peers
	$(BIN)/python benchmarks/small_samples.py
	$(BIN)/python benchmarks/binning_speed.py
	$(BIN)/python benchmarks/choice.py
	$(BIN)/python benchmarks/validation_speed.py
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/crisis_year.py
	$(BIN)/python benchmarks/drift.py
	$(BIN)/python benchmarks/stable_periods.py
	$(BIN)/python benchmarks/planted_drift.py
	$(BIN)/python benchmarks/triage.py
	$(BIN)/python benchmarks/through_time.py
	$(BIN)/python benchmarks/false_alarms.py
	$(BIN)/python benchmarks/teeth.py
	$(BIN)/python benchmarks/warm_kernel.py
	$(BIN)/python benchmarks/audit_speed.py
	$(BIN)/python benchmarks/conversion.py

sbom: $(READY)
	@$(BIN)/python -m workbench.runs.supply sbom > sbom.json && echo sbom.json

licences: $(READY)
	$(BIN)/python -m workbench.runs.supply licences

$(AUDIT)/.ready: requirements-audit.lock
	test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-audit.lock
	touch $(AUDIT)/.ready

# Exit code 1 where a vulnerability is known, 2 where the source of them can't be asked: nothing was checked then.
audit: $(READY) $(AUDIT)/.ready
	$(BIN)/python -m workbench.runs.supply audit $(AUDIT)/bin/python

# Written with `pip install uv`; the lock holds for Python 3.11 to 3.13 and names no address.
lock:
	uv pip compile pyproject.toml --extra dev --extra server --extra spark --extra scheduler --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --override requirements-overrides.txt -o requirements.lock
	uv pip compile benchmarks/peers.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o benchmarks/peers.lock
	uv pip compile requirements-audit.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -o requirements-audit.lock

clean:
	rm -rf $(VENV) $(PEERS) $(AUDIT) sbom.json
