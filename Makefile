# 在只有 Python ≥ 3.11、git 与 make 的机器上，`make demo` 与 `make test` 各自独立可用：
# 先建 .venv，再按 requirements.lock（全部版本与散列值）安装，最后运行。
# 指定解释器：make test PYTHON=python3.12    另一套 PostgreSQL：make test PG_BIN=/usr/lib/postgresql/15/bin

PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; exit; }; done; echo python3)
PG_BIN  ?=
WORKERS ?= 2
SEED    ?= $(shell date +%s)
ARGS    ?=
EXAMPLES ?= 300

VENV := .venv
BIN  := $(VENV)/bin
DONE := $(VENV)/.installed
PIP  := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
SEED := $(SEED)

.DEFAULT_GOAL := help
.PHONY: help install demo portal test check bench soak lock clean

help:  ## 列出可用的目标
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(DONE)  ## 只安装到 .venv（升级之后也用它）

demo: $(DONE)  ## 安装并走完全程：登记、导入、结算、复核、对账，结果在 demo-output/
	$(BIN)/cvl demo --dir demo-output

portal: $(DONE)  ## 安装并启动门户网站：演示数据，每个角色的一次性口令打印在终端（Ctrl-C 停止）
	test -d demo-output/ledger/postgres || $(BIN)/cvl demo --dir demo-output
	CVL_HOME="$(CURDIR)/demo-output/ledger" $(BIN)/cvl serve --passwords

test: $(DONE)  ## 安装并运行全部测试（PG_BIN=目录 换用另一套 PostgreSQL，SEED=数 重现，ARGS= 传给 pytest）
	@echo "随机种子 SEED=$(SEED)（重现：make test SEED=$(SEED)）"
	$(if $(PG_BIN),CVL_PG_BIN="$(abspath $(PG_BIN))" )CVL_TEST_SEED=$(SEED) $(BIN)/python -m pytest -n $(WORKERS) --hypothesis-seed=$(SEED) $(ARGS)

check: $(DONE)  ## 静态检查：ruff、格式、mypy --strict、导入方向、SQL 风格
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 sql

bench: $(DONE)  ## 测速：各项与同次运行测得的下限相比（ARGS= 传给 bench）
	$(BIN)/python -m bench $(ARGS)

soak: $(DONE)  ## 长时间：随机历史与任意次序（EXAMPLES=段数），规则变异测试，再逐个格式反复损坏样本（每种十分钟；ARGS="--minutes 1 --only pdf"）
	CVL_SOAK_EXAMPLES=$(EXAMPLES) CVL_TEST_SEED=$(SEED) $(BIN)/python -m pytest -n 1 --hypothesis-seed=$(SEED) \
	tests/postgres/test_histories.py tests/postgres/test_any_order.py
	$(BIN)/mutmut run --max-children 1
	$(BIN)/python -m bench.mutants
	$(BIN)/python -m bench.soak $(ARGS)

# The hashes must be those of the public index alone, so every local pip setting is left out.
lock: $(DONE)  ## 按 pyproject.toml 重写 requirements.lock（只取公共索引的散列值，约十分钟）
	env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
	$(BIN)/pip-compile --quiet --no-config --no-reuse-hashes --generate-hashes --allow-unsafe --extra dev --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	--output-file requirements.lock pyproject.toml

clean:  ## 删除生成物与缓存（保留 .venv）
	rm -rf demo-output build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

define MAKE_VENV
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
echo "需要 Python 3.11 或更新的版本；$(PYTHON) 不存在或版本过低。指定解释器：make $(MAKECMDGOALS) PYTHON=路径" >&2; exit 1; }; \
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
echo "$(PYTHON) 缺少 venv 模块。Debian、Ubuntu 请先运行：apt install python3-venv" >&2; exit 1; }; \
$(PYTHON) -m venv $(VENV)
endef

# The stamp is the last thing written: an interrupted installation starts again. Only wheels, so nothing is
# built from unlocked sources; the project itself is linked in by the locked hatchling, with no index at all.
$(DONE): requirements.lock pyproject.toml
	@test -x $(BIN)/pip || { $(MAKE_VENV); }
	@echo "正在按 requirements.lock 安装到 $(VENV) ……"
	@$(PIP) --require-hashes --no-deps --no-compile --only-binary :all: -r requirements.lock
	@$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@
