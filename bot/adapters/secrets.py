"""Looks for credentials in what a change adds: the shapes that detect-secrets knows, and ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.guards import Secret

# Shapes of real credentials only. Entropy and keyword guesses would stop every lock file and test.
_SHAPES = (
    "AWSKeyDetector",
    "ArtifactoryDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
# Keys that this bot works beside, and that detect-secrets does not know in their present form.
_OURS = {
    "Anthropic Key": re.compile(r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    "OpenAI Key": re.compile(r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}"),
    "Google API Key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
    "GitHub Token": re.compile(r"\b(?:github_pat_[A-Za-z0-9_]{22,}|gh[pousr]_[A-Za-z0-9_.-]{36,})"),
    "Atlassian Token": re.compile(r"\bATATT3[A-Za-z0-9_=-]{20,}"),
}


def scan(path: str, lines: Sequence[tuple[int, str]]) -> Sequence[Secret]:
    """What looks like a credential among (line number, text), whatever the file."""
    del path
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    found: list[Secret] = []
    with transient_settings({"plugins_used": [{"name": name} for name in _SHAPES]}):
        for number, text in lines:
            kinds = {secret.type for secret in scan_line(text)}
            kinds |= {kind for kind, shape in _OURS.items() if shape.search(text)}
            found += [Secret(number, kind) for kind in sorted(kinds)]
    return found
