# A menu. Whatever needs an `if` is Rust in crates/xtask.
XTASK := cargo run -q -p xtask --

.DEFAULT_GOAL := help
.PHONY: help run test check bench codegen setup deep

help:    ## show this menu
	@grep -hE '^[a-z]+: +##' $(MAKEFILE_LIST) | sed -E 's/: +## /\t/' | expand -t 12

run:     ## start a whole market here and run the example jobs; ONCE=1 stops after them
	@$(XTASK) run $(if $(ONCE),--once)

test:    ## every test of Solidity and Rust
	@$(XTASK) test

check:   ## formatting, shape, lints, licences, generated files
	@$(XTASK) check

bench:   ## measure: lines of `bench: name=value unit`
	@$(XTASK) bench

codegen: ## write the generated files
	@$(XTASK) codegen

setup:   ## install what is missing for all of this
	@$(XTASK) setup --for run && $(XTASK) setup --for test && $(XTASK) setup --for check

deep:    ## the long campaigns: slither, proofs, more cases of every property and fuzz test, every mutant; hours
	@$(XTASK) setup --for deep && node contracts/slither.mjs && node contracts/prove.mjs
	@PROPTEST_CASES=10000 FOUNDRY_PROFILE=deep $(XTASK) test && node contracts/mutate.mjs checks
