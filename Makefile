# Everything that is done with this repository from the command line; bare `make` lists it.

PYTHON ?= python3
BIN := .venv/bin
STACK := $(BIN)/python -m local_stack
MEMBERS := libs services deploy tests bench

.DEFAULT_GOAL := help
.PHONY: help setup run up down clean status logs test unit chaos lint hooks format bench lock schemas dashboard check-tools check-deploy

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## install what is missing into .tools and .venv (every other target does this first)
	@$(PYTHON) deploy/local/setup.py

run: setup ## start everything, play a bank's day, show what came of it; Ctrl-C stops it all
	@exec $(STACK) run

up: setup ## start Kafka, PostgreSQL and the services, or what is missing of them
	@exec $(STACK) up

down: setup ## stop the stack; data, ports and token are kept
	@exec $(STACK) down

clean: setup ## stop the stack and remove its data
	@exec $(STACK) clean

status: setup ## what runs, on which port, and how much memory it takes
	@exec $(STACK) status

logs: setup ## follow the logs of every part
	@exec $(STACK) logs --follow

test: setup ## run every test, on a Kafka and a PostgreSQL of their own
	@$(BIN)/pytest -q -m "not integration and not tools" -n 2
	@$(BIN)/pytest -q -m integration -n 2

unit: setup ## run the tests that need no server
	@$(BIN)/pytest -q -m "not integration and not tools"

chaos: setup ## kill, freeze and starve the parts under load; CHAOS_ROUNDS=20 for more rounds
	@$(BIN)/pytest -q tests/chaos

lint: setup ## static checks: ruff, mypy strict, import-linter
	@$(BIN)/ruff format --check $(MEMBERS)
	@$(BIN)/ruff check $(MEMBERS)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

hooks: setup ## run the static checks before each commit
	@$(BIN)/pre-commit install

format: setup ## put the sources into the house's form
	@$(BIN)/ruff check --fix-only --quiet $(MEMBERS)
	@$(BIN)/ruff format $(MEMBERS)

bench: setup ## measure each path beside the usual practice, in one run
	@$(BIN)/python -m bench

lock: ## renew requirements.lock from the members' pyproject files
	@$(PYTHON) deploy/local/setup.py lock

schemas: setup ## write the JSON Schemas, examples and the AsyncAPI document anew
	@$(BIN)/python -m events write

dashboard: setup ## write Grafana's dashboard anew, from the catalogues of metrics
	@$(BIN)/python -m deploy.dashboard

check-tools: ## fetch what check-deploy needs into .tools
	@$(PYTHON) deploy/local/setup.py tools

check-deploy: setup ## look at Dockerfile, compose file, Kubernetes manifests, alerts and dashboard
	@$(BIN)/python -m deploy.checks
	@$(BIN)/pytest -q -m tools tests/deploy
