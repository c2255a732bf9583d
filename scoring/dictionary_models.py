"""What words mean, as rows that admins edit: titles, industries, legal forms, mailboxes, domains.

Written through dictionaries.py. The signed model asks for meanings (“leads the company”),
so an entry may change at any time; the leads are then matched again.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from scoring.meanings import Words, industry_of, tidy, without_punctuation
from scoring.vocabulary import Department, MailKind, Seniority


class Entry(models.Model):
    """One word or phrase; stored in lower case, found as a whole word."""

    word = models.CharField(_("word"), max_length=100, unique=True)

    class Meta:
        abstract = True
        ordering = ("word",)

    def __str__(self) -> str:
        return self.word


class TitleWord(Entry):
    """What a word in a job title says about its bearer."""

    seniority = models.CharField(
        _("seniority"), max_length=20, choices=Seniority.choices, blank=True
    )
    department = models.CharField(
        _("department"), max_length=20, choices=Department.choices, blank=True
    )

    class Meta(Entry.Meta):
        verbose_name = _("word of job titles")
        verbose_name_plural = _("words of job titles")

    def clean(self) -> None:
        if not self.seniority and not self.department:
            raise ValidationError({"seniority": gettext("Say what the word stands for.")})


class IndustryWord(Entry):
    """Another word for an industry."""

    industry = models.CharField(
        _("industry"), max_length=100, help_text=_("The one name that rules ask for.")
    )

    class Meta(Entry.Meta):
        verbose_name = _("word for an industry")
        verbose_name_plural = _("words for industries")

    def clean(self) -> None:
        """Refuse an entry after which the one name of an industry would mean another one."""
        others = IndustryWord.objects.exclude(pk=self.pk)
        entries = dict(others.values_list("word", "industry")) | {self.word: self.industry}
        words = Words(industries=entries)
        for name in sorted(set(entries.values())):
            meant = industry_of(name, words) or ""
            if tidy(meant) != tidy(name):
                sentence = gettext(
                    "“%(name)s” would then stand for “%(meant)s”: entries must not lead on to "
                    "each other."
                )
                raise ValidationError({"industry": sentence % {"name": name, "meant": meant}})


class LegalForm(Entry):
    """What is no part of a company's name: GmbH, Co., Ltd., 주식회사."""

    may_lead = models.BooleanField(
        _("may stand first"),
        default=False,
        help_text=_("Korean forms stand in front of a name or behind it."),
    )

    class Meta(Entry.Meta):
        verbose_name = _("legal form")
        verbose_name_plural = _("legal forms")

    def clean(self) -> None:
        if not without_punctuation(self.word):
            raise ValidationError({"word": gettext("Write more than full stops and commas.")})


class SharedMailbox(Entry):
    """The part of an address before the @ that is nobody's own: info, sales."""

    class Meta(Entry.Meta):
        verbose_name = _("shared mailbox")
        verbose_name_plural = _("shared mailboxes")


class MailDomain(models.Model):
    """A domain whose addresses say nothing about an employer; or, set by an admin, do."""

    Kind = MailKind

    domain = models.CharField(_("domain"), max_length=253, primary_key=True)
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=[choice for choice in MailKind.choices if choice[0] != MailKind.ROLE],
    )
    # Kept up with the published lists; what an admin wrote is left alone.
    is_listed = models.BooleanField(_("from the published lists"), default=False, editable=False)

    class Meta:
        verbose_name = _("mail domain")
        verbose_name_plural = _("mail domains")

    def __str__(self) -> str:
        return self.domain


class Rewording(models.Model):
    """Work row: words mean something else, and leads are to be matched and scored again.

    Written in the commit of the edit, removed when the standings say what the words do.
    """

    signal_ids = ArrayField(models.BigIntegerField(), default=list)
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"rewording of {self.requested_at}"
