# KAP Guide. `make run` and `make test` do all the set-up that is missing; `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export HF_HUB_OFFLINE := 1
export ACTION_HOST ?= 127.0.0.1
export ACTION_PORT ?= 5055

PYTHON_BIN := .venv/bin/python
KAP_GUIDE := .venv/bin/kap-guide
INSTALLED := build/installed
INSTALLED_DEV := build/installed-dev
ENCODER := build/encoder/model.onnx
MODEL := models/kap-guide.tar.gz
# What the trained model is made from; it is trained again when one of these is newer.
INGREDIENTS := config.yml domain.yml $(shell find data -name '*.yml') content/safety_patterns.yml \
	$(wildcard components/*.py) $(addprefix guide/,embedding.py encoder_export.py ranking.py \
	ranking_training.py topic_training.py views.py bands.py folding.py respelling.py safety.py safety_head.py safety_patterns.py)

.PHONY: help setup setup-dev train run chat test check widget fuzz dialogues soak evaluate bench lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup $(MODEL) ## Start the assistant on loopback (PORT, default 5005; WITH=slack,telegram); Ctrl-C ends it
	@set -a; if [ -f .env ]; then . ./.env; fi; set +a; $(KAP_GUIDE) run --with "$(WITH)"

chat: setup $(MODEL) ## Talk to the assistant in this terminal (ARGS=--explain shows its reasons)
	@$(KAP_GUIDE) chat $(ARGS)

test: setup-dev $(MODEL) widget/node_modules tests/channels/emulate/node_modules ## Run every check and every test (ARGS is passed to pytest)
	@$(MAKE) --no-print-directory check
	$(PYTHON_BIN) -m pytest $(ARGS)

check: setup-dev ## Lint, types and the content contracts
	$(PYTHON_BIN) -m ruff check .
	$(PYTHON_BIN) -m ruff format --check .
	$(PYTHON_BIN) -m mypy
	$(KAP_GUIDE) check

widget: widget/node_modules ## Build the website chat into widget/dist (needs node and npm)
	@if command -v npm >/dev/null; then cd widget && npm run --silent build; \
	else echo "node and npm are missing: install node 20 (for example: apt-get install nodejs npm)"; exit 1; fi

widget/node_modules: widget/package-lock.json
	@if command -v npm >/dev/null; then cd widget && npm ci --silent --no-audit --no-fund && touch node_modules; \
	else echo "npm is missing: the widget's build is not tested"; fi

tests/channels/emulate/node_modules: tests/channels/emulate/package-lock.json
	@if command -v npm >/dev/null; then cd $(@D) && npm ci --silent --no-audit --no-fund && touch node_modules; \
	else echo "npm is missing: Slack is not tested against emulate"; fi

fuzz: setup-dev $(MODEL) ## Fuzz the web channel's OpenAPI description (its own environment in build/)
	$(PYTHON_BIN) -m tests.channels.fuzz_web

dialogues: setup $(MODEL) ## Play tests/dialogues live and show each failure as the conversation
	$(KAP_GUIDE) dialogues

soak: setup-dev $(MODEL) ## Let many people talk while everything breaks (SOAK_CONVERSATIONS, SOAK_TURNS)
	SOAK_CONVERSATIONS=$${SOAK_CONVERSATIONS:-500} SOAK_TURNS=$${SOAK_TURNS:-10} \
		$(PYTHON_BIN) -m pytest tests/live/test_soak.py -s

evaluate: setup-dev $(MODEL) ## Measure understanding and safety (DATA=folder of evaluation files)
	$(PYTHON_BIN) -m evaluation

bench: setup-dev $(MODEL) ## Measure speed beside a floor and Rasa's default assistant (ARGS="--only turns --rounds 20")
	$(PYTHON_BIN) -m evaluation.bench $(ARGS)

train: setup $(MODEL) ## Train the model if anything it is made from has changed

setup: $(INSTALLED) ## Install what running needs
setup-dev: $(INSTALLED_DEV) ## Install what tests and checks need

$(INSTALLED): requirements.txt scripts/setup pyproject.toml
	@scripts/setup requirements.txt $@

$(INSTALLED_DEV): requirements-dev.txt scripts/setup pyproject.toml
	@scripts/setup requirements-dev.txt $@
	@touch $(INSTALLED)

$(ENCODER): guide/encoder_export.py | $(INSTALLED)
	@$(PYTHON_BIN) -m guide.encoder_export build/encoder
	@touch $@

$(MODEL): $(INGREDIENTS) $(ENCODER) | $(INSTALLED)
	@echo "Training (well under a minute once started; loading Rasa takes most of it)"
	@$(PYTHON_BIN) -W ignore -m rasa train --out models --fixed-model-name kap-guide --quiet
	@$(KAP_GUIDE) model-hash --record >/dev/null
	@touch $@

lock: ## Lock the versions of requirements*.in with hashes (needs uv)
	for name in requirements requirements-dev; do \
		uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.10 \
			--override requirements-overrides.in --generate-hashes $$name.in --output-file $$name.txt; \
	done

clean: ## Remove everything that was built or trained
	rm -rf .venv build models/*.tar.gz* results *.egg-info .rasa
