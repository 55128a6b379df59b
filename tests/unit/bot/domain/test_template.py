"""A pull request template, filled."""

import pytest

from bot.domain.messages.template import fill


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("", "C\n\nS\n\nP"),
        ("# What\n# Tests", "C\n\n# What\n\nS\n# Tests\n\nP"),
        (
            "## Related issues\n\nx\n\n## Notes\n",
            "S\n\nP\n\n## Related issues\n\nC\n\nx\n\n## Notes",
        ),
        ("no headings", "C\n\nS\n\nP\n\nno headings"),
        ("<!-- a -->\r\n## Testing ##\r\n<!-- b", "C\n\nS\n\n## Testing ##\n\nP"),
    ],
)
def test_a_template_is_filled(template: str, wanted: str) -> None:
    assert fill(template, {"closes": "C", "summary": "S", "proof": "P"}) == wanted
