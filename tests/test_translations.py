"""Every text for people exists in every language, with the same placeholders."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from funnel_app import translations

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    assert translations.missing(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_placeholders(language):
    broken = []
    for message in translations.read_catalog(language):
        if not message.id:
            continue
        original = message.id if isinstance(message.id, str) else message.id[-1]
        texts = [message.string] if isinstance(message.string, str) else message.string
        expected = sorted(PLACEHOLDER.findall(original))
        broken += [text for text in texts if sorted(PLACEHOLDER.findall(text)) != expected]
    assert broken == []
