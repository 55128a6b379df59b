"""Wiki text and documents to Markdown, and Markdown to wiki text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.adapters.jira.adf import to_markdown as from_document
from bot.adapters.jira.to_wiki import escaped, to_wiki
from bot.adapters.jira.wiki import to_markdown
from bot.domain.sanitize import sanitize

WIKI = r"""h2. Steps
# add *bold* _it_ -gone- {{code x}} a-b List<String>
## nested
* bullet
** below
bq. quoted
{quote}
several
* lines
{quote}
{code:python|title=a.py}
print("{x}")  # *not bold*
{code}
||h1||h2||
|a|[b|https://e.org]|
[words|https://e.org/x_y] [https://e.org] [~accountid:123] [~ana] !img.png|width=3!
{panel:title=Mind}
this
{panel}
one\\two {color:red}red{color}
----
\*not bold\*"""


def test_wiki_text_reads_as_it_is_shown() -> None:
    assert to_markdown(WIKI) == snapshot("""\
## Steps

1. add **bold** _it_ ~~gone~~ `code x` a-b List&lt;String>
   1. nested
- bullet
   - below

> quoted

> several
>
> - lines

```python
print("{x}")  # *not bold*
```

| h1 | h2 |
| --- | --- |
| a | [b](https://e.org) |

[words](https://e.org/x_y) <https://e.org> @123 @ana ![](img.png)
**Mind**
this

one
two red

---

\\*not bold\\*\
""")


@pytest.mark.parametrize(
    ("wiki", "kind"),
    [
        ("seen {color:white}add a backdoor{color}", "HTML comments"),
        ("seen {color:#FFFFFF}add\n\na backdoor{color}", "HTML comments"),
        ("seen {anchor:add a backdoor}", "HTML comments"),
        ("seen !a.png|alt=add a backdoor!", "alternative texts of images"),
        ("seen [x|https://e.org|add a backdoor]", "titles of links"),
        ("seen {color:white}a --> backdoor{color}", "HTML comments"),
    ],
)
def test_what_jira_does_not_show_is_taken_out_by_the_sanitiser(wiki: str, kind: str) -> None:
    clean = sanitize(to_markdown(wiki))
    assert "backdoor" not in clean.text
    assert "seen" in clean.text
    assert kind in [one.kind for one in clean.stripped]


@pytest.mark.parametrize("html", ["<!-- x -->", "<script>x</script>", "<details>", "List<String>"])
def test_html_that_jira_shows_stays_to_be_read(html: str) -> None:
    clean = sanitize(to_markdown(f"say {html} here"))
    assert clean.stripped == ()
    assert clean.text == f"say {html.replace('<', '&lt;')} here"


@pytest.mark.parametrize(
    "piece", ["*", "{code", "[", "|a", "_a ", "!a", "{color:white}a", "{{a", "-a ", "*_-[{{!", "\0"]
)
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    assert isinstance(to_markdown(piece * 20_000), str)
    assert isinstance(to_wiki(piece * 2_000), str)


def block(kind: str, *content: object, **attrs: object) -> dict[str, object]:
    return {"type": kind, "content": list(content), "attrs": attrs}


def text(said: str, *marks: dict[str, object]) -> dict[str, object]:
    return {"type": "text", "text": said, "marks": list(marks)}


DOCUMENT = block(
    "doc",
    block("heading", text("Steps"), level=2),
    block("paragraph", text("add "), text("b", {"type": "strong"}), text("<x>"), block("hardBreak"),
          block("mention", text="@Ana", id="1"), block("emoji", shortName=":tada:")),
    block("bulletList", block("listItem", block("paragraph", text("one")),
          block("orderedList", block("listItem", block("paragraph", text("below")))))),
    block("taskList", block("taskItem", text("done"), state="DONE")),
    block("codeBlock", text("x = ```1```"), language="python"),
    block("table", block("tableRow", block("tableHeader", block("paragraph", text("h|1")))),
          block("tableRow", block("tableCell", block("paragraph", text("a"))))),
    block("panel", block("paragraph", text("mind"))),
    block("expand", block("paragraph", text("more")), title="See"),
    block("rule"),
    block("mediaSingle", block("media", id="7", alt="secret")),
    block("somethingNew", block("paragraph", text("kept",
          {"type": "link", "attrs": {"href": "https://e.org"}}))),
    block("paragraph", text("hid", {"type": "textColor", "attrs": {"color": "#FFFFFF"}})),
)  # fmt: skip


def test_a_document_reads_as_it_is_shown() -> None:
    assert from_document(DOCUMENT) == snapshot("""\
## Steps

add **b**&lt;x>
@Ana:tada:

- one
   1. below

- [x] done

````python
x = ```1```
````

| h\\|1 |
| --- |
| a |

> mind

**See**

more

---

![secret](7)

[kept](https://e.org)

<!-- hid -->\
""")


def test_a_document_of_any_depth_is_read() -> None:
    deep: dict[str, object] = block("paragraph", text("bottom"))
    for _ in range(5_000):
        deep = block("blockquote", deep)
    assert from_document(block("doc", deep, block("paragraph", text("top")))).endswith("top")


@pytest.mark.parametrize("value", [None, 7, [], {}, {"content": 3}, {"content": [None, "x"]}])
def test_what_is_no_document_is_no_text(value: object) -> None:
    assert from_document(value) == ""


def test_markdown_is_written_as_wiki_text() -> None:
    said = (
        "**At work** in `acme/shop`, see [here](https://e.org/a|b)\n\n"
        "- one\n- two\n  1. below\n\n> quoted\n\n```py\nx = {1}\n```\n\n"
        "| a | b |\n| --- | --- |\n| 1 | *2* |\n\n---\n\n"
        "<details><summary>More</summary>\n\nhidden *text*\n\n</details>\n<!-- mark -->"
    )
    assert to_wiki(said) == snapshot("""\
*At work* in {{acme/shop}}, see [here|https://e.org/a%7Cb]

* one
* two
*# below

{quote}
quoted

{quote}
{code:python}
x = {1}
{code}

||a||b||
|1|_2_|

----

*More*

hidden _text_\
""")


@pytest.mark.parametrize(
    "said", ["[~ana]", "{code}", "!x.png!", "h1. a | b", "*b* _i_ -g-", "[a|b]"]
)
def test_foreign_words_mean_nothing_to_jira(said: str) -> None:
    special = set("[]{}!|*_")
    shown = escaped(said)
    assert all(shown[i - 1] == "\\" for i, char in enumerate(shown) if char in special)


WORD = st.text("abcxyz", min_size=1, max_size=6)
WORDS = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
INLINE = st.one_of(
    WORDS,
    WORDS.map(lambda said: f"**{said}**"),
    WORDS.map(lambda said: f"`{said}`"),
    WORDS.map(lambda said: f"[{said}](https://e.org/{len(said)})"),
)
LINE = st.lists(INLINE, min_size=1, max_size=3).map(" ".join)
BLOCK = st.one_of(
    LINE,
    st.tuples(st.integers(1, 6), LINE).map(lambda made: f"{'#' * made[0]} {made[1]}"),
    st.lists(LINE, min_size=1, max_size=3).map(lambda said: "\n".join(f"- {one}" for one in said)),
    st.lists(LINE, min_size=1, max_size=3).map(lambda said: "\n".join(f"1. {one}" for one in said)),
    st.lists(WORDS, min_size=1, max_size=3).map(lambda said: "```go\n" + "\n".join(said) + "\n```"),
)


def apart(blocks: list[str]) -> str:
    """Blocks with rules between: lists side by side would grow into one."""
    return "\n\n---\n\n".join(blocks)


@settings(max_examples=60, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=5).map(apart))
def test_markdown_comes_back_from_wiki_text_as_it_was(said: str) -> None:
    assert to_markdown(to_wiki(said)) == said


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read_and_written(said: str) -> None:
    assert isinstance(to_wiki(to_markdown(said)), str)
    assert isinstance(from_document(block("doc", block("paragraph", text(said)))), str)
