# Everything that is done with this tree. `make` alone lists the goals.
#
# GANTRY_BUILD   debug or release; `serve` defaults to release, tests and conformance to debug
# RESULTS        a folder for the tests' reports
# ARGS           further arguments: make serve ARGS="--port 9090", make conformance ARGS="--case QD-0"

SHELL := /bin/bash
ARGS ?=
# Many tests run at once, each with connections and files of its own.
TEST := ulimit -S -n 65536 2>/dev/null || ulimit -S -n $$(ulimit -Hn); swift test --skip-build --disable-xctest
# Tests of what speaks to PostgreSQL and S3.
WITH_SERVERS := ArchiveTests|SQLStorageTests|S3StorageTests
report = $(if $(RESULTS),--xunit-output $(RESULTS)/$(1).xml)
SERVE_BUILD := $(or $(GANTRY_BUILD),release)

.DEFAULT_GOAL := help
.PHONY: serve test check conformance bench format fuzz help

serve: ## install what is missing, build, and start the gateway on http://127.0.0.1:8080
	@Scripts/setup serve
	swift build -c $(SERVE_BUILD) --product gantry
	@exec .build/$(SERVE_BUILD)/gantry serve $(ARGS)

test: ## install what is missing, build, and run all tests
	@Scripts/setup test
	swift build --build-tests
ifeq ($(ARGS),)
	@# One after the other: those with servers and clients have deadlines, and should not wait for a busy machine.
	$(TEST) --skip '^($(WITH_SERVERS)|IntegrationTests)' $(call report,unit)
	$(TEST) --filter '^($(WITH_SERVERS))' $(call report,servers)
	$(TEST) --filter '^IntegrationTests' $(call report,integration)
	@# The same over PostgreSQL and S3, without those tests that choose their storage or look at other things.
	export GANTRY_TEST_STORAGE=servers; $(TEST) --filter '^IntegrationTests' \
		--skip 'BrowserTests|CredentialTests|DeployingPageTests|MigrateTests|RenderedTests|RolesTests|TLSTests' \
		$(call report,integration-servers)
else
	$(TEST) $(ARGS)
endif

check: ## format, layering and generated files
	Scripts/format --check
	Scripts/check-layering
	Scripts/check-generated

conformance: ## run the DICOMweb suite of ../shared/conformance against fresh servers: on disk, and over PostgreSQL and S3
	@Scripts/setup test
	Scripts/conformance $(ARGS)
	@# The same over PostgreSQL and S3, with the program that was just built.
	GANTRY_CONFORMANCE_BUILT=1 Scripts/with-servers Scripts/conformance $(ARGS)

bench: ## measure a release build with the harness of ../shared/bench
	@Scripts/setup serve
	Scripts/bench $(ARGS)

format: ## format the Swift sources in place
	Scripts/format

fuzz: ## run the fuzzers for a minute each
	@if [ -x Scripts/fuzz ]; then exec Scripts/fuzz $(ARGS); else echo "there are no fuzzers yet"; fi

help: ## list the goals
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22
