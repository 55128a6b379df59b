"""The frame of every page: plain HTML, no scripts, nothing from elsewhere."""

from __future__ import annotations

import html

from bot.emulators.github.wire import Answer

_STYLE = """
:root{color-scheme:light dark;
--line:#d1d9e0;--soft:#f6f8fa;--text:#1f2328;--mute:#59636e;--link:#0969da}
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#151b23;--text:#f0f6fc;--mute:#9198a1;
--link:#4493f8}body{background:#0d1117}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);max-width:62rem;
margin:0 auto;padding:1rem}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}h1{font-size:1.6rem}
h2{font-size:1.15rem;border-bottom:1px solid var(--line);padding-bottom:.3rem;
margin-top:2rem}
.mute{color:var(--mute)}.box{border:1px solid var(--line);border-radius:6px;margin:1rem 0}
.box>header{background:var(--soft);padding:.5rem 1rem;border-bottom:1px solid var(--line);
border-radius:6px 6px 0 0}.box>div{padding:.2rem 1rem}.box>pre{margin:0;border-radius:0 0 6px 6px}
pre,code{font:12.5px/1.45 ui-monospace,monospace;background:var(--soft);border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow-x:auto}pre code{padding:0}
.pill{border-radius:2em;padding:.2em .8em;color:#fff;background:#59636e;font-size:.85rem}
.open{background:#1f883d}.closed{background:#cf222e}.merged{background:#8250df}
.label{border:1px solid var(--line);border-radius:2em;padding:.05em .6em;font-size:.8rem}
table{border-collapse:collapse}td,th{border:1px solid var(--line);padding:.3em .7em;text-align:left}
.add{background:rgba(46,160,67,.18);display:block}.del{background:rgba(248,81,73,.18);display:block}
.hunk{color:var(--mute);display:block}blockquote{border-left:3px solid var(--line);margin:0;
padding-left:1rem;color:var(--mute)}.good{color:#1f883d}.bad{color:#cf222e}summary{cursor:pointer}
"""


def page(title: str, body: str, status: int = 200, crumbs: str = "") -> Answer:
    """A page; `body` and `crumbs` are HTML, `title` is text."""
    shown = html.escape(title)
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title><style>{_STYLE}</style></head><body>"
        f"<nav class='mute'>Emulated GitHub{crumbs}</nav>"
        f"<main><h1>{shown}</h1>{body}</main></body></html>"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(status, text.encode(), headers)
