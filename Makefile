# The two commands: `make run` and `make test`. Both do all their own set-up.
.DEFAULT_GOAL := help
.PHONY: help run test check lock clean

SETUP = @python=$$(bin/find-python) && exec "$$python" -B bin/setup.py

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1  \t/p' $(MAKEFILE_LIST)

run:  ## the whole product with demo data until Ctrl-C (PORT=8000, DEMO=no for none)
	$(SETUP) run

test:  ## everything CI runs; ARGS="-k inbox" runs only those tests
	$(SETUP) test $(ARGS)

check: test  ## the same as make test

lock:  ## make requirements/*.txt and package-lock.json anew from their sources
	$(SETUP) lock

clean:  ## remove what set-up made; the data in .run stays
	rm -rf .venv node_modules static/vendor staticfiles
