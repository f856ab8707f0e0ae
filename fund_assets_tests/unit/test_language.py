"""The language of the commands: what is chosen, looked up, and found in finished words."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

import fund_assets
from fund_assets import language
from fund_assets.cli import main
from fund_assets.language import VALUE, chosen, say, sentences, speaking, translated
from fund_assets.settings import SettingsError, load_settings
from fund_assets_tests.syntax import tree_of_file

PACKAGE = Path(fund_assets.__file__).parent
#: What prints: its sentences stand in `say` or `later`.
PRINTING = [*sorted((PACKAGE / "cli").glob("*.py")), PACKAGE / "observability" / "dashboard.py"]
#: The errors that a command tells by their words, wherever they are raised.
ERRORS = {
    "NotThere", "BadParameter", "UsageError", "ClickException", "fail", "CalendarError",
    "ChannelError", "ChartError", "DecisionError", "ExportError", "ReportError", "SettingsError",
    "UnknownIdError", "WarehouseError",
}  # fmt: skip
#: Where any error is one that a command tells.
REFUSING = [
    *sorted((PACKAGE / "cli").glob("*.py")),
    *sorted((PACKAGE / "sources").rglob("*.py")),
    *sorted((PACKAGE / "transport").rglob("*.py")),
    *(PACKAGE / name for name in (
        "metrics/screen.py", "schemas/codes.py", "schemas/fund_types.py", "schemas/kinds.py",
        "schemas/words.py", "settings.py",
    )),
]  # fmt: skip
PRINTERS = {"echo", "print", "add_column", "add_row", "status", "Table", "_line", "doing"}
#: Names that are the same in every language: commands, files, units, signs.
PLAIN = re.compile(r"[A-Z]{2,}\w*|\W+|\[/?[a-z ]*\]|fund-assets( \w+)*|make dev|s|GB|MB|M")


def calls(path):
    """Each call of a module: its function's name, and the call."""
    for node in ast.walk(tree_of_file(path)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else (
                getattr(node.func, "id", "")
            )  # fmt: skip
            yield name, node


def told(path):
    """The sentences that a module hands to `say` and `later`."""
    return {
        node.args[0].value
        for name, node in calls(path)
        if name in ("say", "later") and isinstance(node.args[0], ast.Constant)
    }


def sample(node):
    """Words as an expression makes them, with X for each value; None when it has no words."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [v.value if isinstance(v, ast.Constant) else "X1" for v in node.values]
        return "".join(parts)
    return None


def texts(node):
    """Literal texts that an argument is made of, without what `say` and its kin return."""
    if isinstance(node, ast.Call):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.Subscript):
            yield from texts(child)


def test_every_sentence_is_in_the_catalogue():
    """Stops a sentence that a Chinese reader would be told in English."""
    speakers = [
        p for p in PACKAGE.rglob("*.py") if "fund_assets.language" in p.read_text("utf-8")
    ]
    assert len(speakers) > 20
    assert not {text for path in speakers for text in told(path)} - sentences().keys()


@pytest.mark.parametrize("path", PRINTING, ids=lambda path: path.name)
def test_nothing_is_printed_past_the_catalogue(path):
    """Stops words that are printed in one language whatever is spoken."""
    left = [
        (node.lineno, text)
        for name, node in calls(path)
        if name in PRINTERS
        for argument in node.args
        for text in texts(argument)
        if (words := re.sub(PLAIN, " ", re.sub(r"\[/?[\w ]*\]", "", text)).strip())
        and re.search(r"[a-z]{2}|[\u4e00-\u9fff]", words)
        and " " in text.strip()
    ]
    assert not left


def test_every_refusal_is_translated():
    """Stops an error that a Chinese reader would be told in English."""
    left, met = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, node in calls(path):
            told_here = name in ERRORS or (path in REFUSING and name.endswith("Error"))
            words = sample(node.args[0]) if told_here and node.args else None
            if words and re.search(r"[a-z]{3}.* .*[a-z]{3}", words):
                met += 1
                with speaking("zh"):
                    if translated(words) == words:
                        left.append((path.relative_to(PACKAGE), node.lineno, words))
    assert met > 250
    assert not left


@pytest.mark.parametrize(
    ("words", "chinese"),
    [
        (
            "history of fund 000001 from fund.eastmoney.com: status 514, too many requests, says its "
            "CDN: lower FUND_REQUESTS_PER_SECOND",
            "fund.eastmoney.com 的 历史（基金 000001）：状态码 514，其 CDN 称请求过多：请调低 "
            "FUND_REQUESTS_PER_SECOND",
        ),
        (
            "open_funds from 127.0.0.1: not requested: 127.0.0.1 refuses requests, next request after 2026-11-24 "
            "20:30: the answer is empty",
            "127.0.0.1 的 open_funds：没有请求：127.0.0.1 拒绝请求，2026-11-24 20:30 之后再请求：应答是空的",
        ),
        (
            "notice.txt, line 3: 2026-02-15 is a 星期日, not 周一: a date is mistyped, or this is not "
            "the notice of 2026",
            "notice.txt, line 3：2026-02-15 是星期日，不是周一：有日期写错了，或这不是 2026 年的通知",
        ),
        (
            "the history of fund 000001: a point of Data_netWorthTrend lacks one of ['x']: {}",
            "基金 000001 的历史：Data_netWorthTrend 的一个点缺少 ['x'] 之一：{}",
        ),
    ],
)  # fmt: skip
def test_an_error_of_a_source_is_told_in_chinese(words, chinese):
    """Stops what a source answered from being told half in English."""
    with speaking("zh"):
        assert translated(words) == chinese


def test_both_sides_have_the_same_values():
    """Stops a figure that one language leaves out, or that neither has."""
    for english, chinese in sentences().items():
        names = [{value[1] for value in VALUE.finditer(text)} for text in (english, chinese)]
        assert names[0] == names[1], english


def pages(command=main, path=()):
    """Every command's path, groups before what is in them."""
    yield list(path)
    for name, each in getattr(command, "commands", {}).items():
        yield from pages(each, (*path, name))


def test_help_is_chinese_and_fits(monkeypatch):
    """Stops help that a Chinese reader gets in English, and lines that run off a terminal of 80."""
    monkeypatch.setenv("FUND_LANG", "zh")
    texts = {
        " ".join(path): CliRunner()
        .invoke(main, [*path, "--help"], prog_name="fund-assets")
        .output
        for path in pages()
    }
    assert len(texts) > 40
    for path, text in texts.items():
        assert text.startswith(f"用法：fund-assets {path}".rstrip()), path
        assert "选项:" in text and "显示本说明后退出。" in text
        assert not re.search("[a-z]{2,},? [a-z]{2,} [a-z]{2,}", text.partition("\n")[2]), text
        assert max(cell_len(line) for line in text.splitlines()) <= 80, text
    assert (
        "\n  CODE 是六位代码。写名称的一部分或拼音缩写的开头，则列出相符的基金。\n"
        in texts["nav"]
    )
    assert "  --because TEXT  理由；与这些行一起保存。 [必填]\n" in texts["quarantine accept"]
    assert "\n  quarantine      查看规则隔离了什么，并决定如何处理\n" in texts[""]


def test_help_in_english_is_that_of_the_commands(monkeypatch):
    """Stops a translation from changing what an English reader gets."""
    monkeypatch.setenv("FUND_LANG", "en")
    text = CliRunner().invoke(main, ["nav", "--help"]).output
    assert "  CODE has six digits. A part of a name, or the beginning of a pinyin\n" in text
    assert (
        "  --limit N     The newest N dates, 0 for all [default: 20; all with --csv].\n" in text
    )
    whole = CliRunner().invoke(main, ["--help"]).output
    assert "  compare         Compare the metrics of some funds." in whole


def test_no_sentence_is_there_twice():
    """Stops a part of the catalogue from hiding another's sentence."""
    from fund_assets.language import zh

    parts = [
        getattr(zh, name) for name in vars(zh) if re.fullmatch("_[A-Z]+|HELP|SOURCES", name)
    ]
    assert len(parts) == 11
    assert sum(map(len, parts)) == len(sentences())


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "FUND_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "FUND_LANG": "zh"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_setting_or_the_locale(
    monkeypatch, tmp_path, environment, language
):
    """Stops a Chinese machine from being spoken to in English, and the reverse."""
    monkeypatch.chdir(tmp_path)
    for name in ("FUND_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert chosen() == language


def test_the_setting_may_stand_in_the_file(monkeypatch, tmp_path):
    """Stops FUND_LANG of .env from meaning nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FUND_LANG", raising=False)
    monkeypatch.setenv("LANG", "C")
    (tmp_path / ".env").write_text("FUND_LANG=zh\n", "utf-8")
    assert chosen() == "zh"


def test_a_sentence_is_said_in_the_language_spoken():
    """Stops values from being lost on the way, and a language from outliving its block."""
    with speaking("en"):
        assert say("{count:,} rows", count=1234) == "1,234 rows"
        with speaking("zh"):
            assert say("{count:,} rows", count=1234) == "1,234 行"
        assert say("{count:,} rows", count=1234) == "1,234 rows"
    assert language.is_chinese()


def test_finished_words_are_found_by_their_pattern():
    """Stops an error from below from staying English, or its parts from being lost."""
    words = (
        "Invalid value for '--kind': unknown kind 'bonds': did you mean bond? See "
        "`fund-assets screen --help`"
    )
    with speaking("zh"):
        assert translated(words) == (
            "'--kind' 的值不对：没有类型 'bonds'：是不是 bond？见 `fund-assets screen --help`"
        )
        option = (
            "No such option '--limitt'. Did you mean '--limit'? See `fund-assets nav --help`"
        )
        assert translated(option) == (
            "没有选项 '--limitt'：是不是 '--limit'？见 `fund-assets nav --help`"
        )
        for unknown in ("words that nobody knows {here}", "here: words that nobody knows"):
            assert translated(unknown) == unknown
    with speaking("en"):
        assert translated(words) == words


def test_each_wrong_setting_is_told_in_chinese(monkeypatch):
    """Stops one wrong setting from keeping another, or the hint below them, English."""
    monkeypatch.setenv("FUND_SIM_FUNDS", "5")
    monkeypatch.setenv("FUND_SIM_YEARS", "many")
    monkeypatch.setenv("FUND_DAGSTER_UI", "http://here:0")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    with speaking("zh"):
        told = sorted(translated(str(raised.value)).split("\n"))
    assert told == [
        "FUND_DAGSTER_UI='http://here:0'：'0' 不是端口：端口为 1 到 65535 的数",
        "FUND_SIM_FUNDS='5'：应为不小于 20 的数",
        "FUND_SIM_YEARS='many'：应为数字",
        "全部变量与默认值见 .env.example。",
    ]
