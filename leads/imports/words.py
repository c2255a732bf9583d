"""What other systems call our fields and stages: HubSpot, Salesforce, Mautic.

All words are folded: lower case, without blanks and punctuation, so that a label
("First Name"), an API name ("FirstName") and an internal name ("first_name")
are one word.
"""

from __future__ import annotations

from collections.abc import Iterable

from leads.imports.fields import (
    ACCOUNT,
    ENTERED,
    EXTERNAL_ID,
    MAIL_CONSENT,
    MAIL_OPT_OUT,
    OWNER,
    STAGE,
)
from leads.imports.values import folded
from leads.stages import Stage

LEAD_WORDS: dict[str, str] = {
    # HubSpot, Salesforce, Mautic and what people write themselves.
    "email": "email",
    "emailaddress": "email",
    "workemail": "email",
    "mail": "email",
    "이메일": "email",
    "firstname": "first_name",
    "givenname": "first_name",
    "이름": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "familyname": "last_name",
    "성": "last_name",
    "name": "full_name",
    "fullname": "full_name",
    "contactname": "full_name",
    "leadname": "full_name",
    "성명": "full_name",
    "jobtitle": "title",
    "title": "title",
    "position": "title",
    "직함": "title",
    "phone": "phone",
    "phonenumber": "phone",
    "telephone": "phone",
    "mobile": "phone",
    "mobilephone": "phone",
    "mobilephonenumber": "phone",
    "전화번호": "phone",
    "country": "country",
    "countryregion": "country",
    "mailingcountry": "country",
    "countrycode": "country",
    "국가": "country",
    "persona": "persona",
    "hspersona": "persona",
    "company": "company",
    "companyname": "company",
    "companyaccount": "company",
    "primarycompany": "company",
    "organization": "company",
    "회사": "company",
    "account": ACCOUNT,
    "accountname": ACCOUNT,
    "leadsource": "source",
    "source": "source",
    "utmsource": "source",
    "utmmedium": "medium",
    "medium": "medium",
    "utmcampaign": "campaign",
    "campaign": "campaign",
    "channel": "channel",
    "originalsource": "channel",
    "originaltrafficsource": "channel",
    "hsanalyticssource": "channel",
    "lifecyclestage": STAGE,
    "leadstatus": STAGE,
    "status": STAGE,
    "stage": STAGE,
    "owner": OWNER,
    "leadowner": OWNER,
    "contactowner": OWNER,
    "createdate": f"{ENTERED}{Stage.LEAD}",
    "createddate": f"{ENTERED}{Stage.LEAD}",
    "dateadded": f"{ENTERED}{Stage.LEAD}",
    "becamealeaddate": f"{ENTERED}{Stage.LEAD}",
    "hslifecyclestageleaddate": f"{ENTERED}{Stage.LEAD}",
    "becameamarketingqualifiedleaddate": f"{ENTERED}{Stage.MQL}",
    "hslifecyclestagemarketingqualifiedleaddate": f"{ENTERED}{Stage.MQL}",
    "mqldate": f"{ENTERED}{Stage.MQL}",
    "saldate": f"{ENTERED}{Stage.SAL}",
    "becameasalesqualifiedleaddate": f"{ENTERED}{Stage.SQL}",
    "hslifecyclestagesalesqualifiedleaddate": f"{ENTERED}{Stage.SQL}",
    "sqldate": f"{ENTERED}{Stage.SQL}",
    "becameacustomerdate": f"{ENTERED}{Stage.CUSTOMER}",
    "hslifecyclestagecustomerdate": f"{ENTERED}{Stage.CUSTOMER}",
    "customersince": f"{ENTERED}{Stage.CUSTOMER}",
    "unsubscribedfromallemail": MAIL_OPT_OUT,
    "hsemailoptout": MAIL_OPT_OUT,
    "emailoptout": MAIL_OPT_OUT,
    "hasoptedoutofemail": MAIL_OPT_OUT,
    "donotemail": MAIL_OPT_OUT,
    "optin": MAIL_CONSENT,
    "emailconsent": MAIL_CONSENT,
    "marketingconsent": MAIL_CONSENT,
    # Ids; which system they belong to is told by the header as a whole.
    "recordid": EXTERNAL_ID,
    "hsobjectid": EXTERNAL_ID,
    "contactid": EXTERNAL_ID,
    "leadid": EXTERNAL_ID,
    "prospectid": EXTERNAL_ID,
    "id": EXTERNAL_ID,
}

ACCOUNT_WORDS: dict[str, str] = {
    "name": "name",
    "account": "name",
    "accountname": "name",
    "company": "name",
    "companyname": "name",
    "domain": "domain",
    "companydomainname": "domain",
    "website": "domain",
    "websiteurl": "domain",
    "industry": "industry",
    "sector": "industry",
    "country": "country",
    "countryregion": "country",
    "billingcountry": "country",
    "officelocation": "country",
    "employees": "employee_count",
    "numberofemployees": "employee_count",
    "annualrevenue": "revenue_amount",
    "revenue": "revenue_amount",
    "currency": "revenue_currency",
    "currencyisocode": "revenue_currency",
}

_STAGE_WORDS: dict[str, str] = {
    # HubSpot lifecycle stages, by internal and by display name.
    "subscriber": Stage.LEAD,
    "marketingqualifiedlead": Stage.MQL,
    "salesqualifiedlead": Stage.SQL,
    "opportunity": Stage.SQL,
    "evangelist": Stage.CUSTOMER,
    # Salesforce lead status.
    "new": Stage.LEAD,
    "open": Stage.LEAD,
    "opennotcontacted": Stage.LEAD,
    "workingcontacted": Stage.SAL,
    "salesacceptedlead": Stage.SAL,
    "closedconverted": Stage.SQL,
    "closednotconverted": Stage.DISQUALIFIED,
    "unqualified": Stage.DISQUALIFIED,
    # What deals say: Salesforce and HubSpot pipelines, and plain words.
    "prospecting": Stage.SAL,
    "engaging": Stage.SQL,
    "qualification": Stage.SQL,
    "needsanalysis": Stage.SQL,
    "valueproposition": Stage.SQL,
    "iddecisionmakers": Stage.SQL,
    "perceptionanalysis": Stage.SQL,
    "proposalpricequote": Stage.SQL,
    "negotiationreview": Stage.SQL,
    "appointmentscheduled": Stage.SQL,
    "qualifiedtobuy": Stage.SQL,
    "presentationscheduled": Stage.SQL,
    "decisionmakerboughtin": Stage.SQL,
    "contractsent": Stage.SQL,
    "won": Stage.CUSTOMER,
    "closedwon": Stage.CUSTOMER,
    "closedlost": Stage.LOST,
}
STAGE_WORDS: dict[str, str] = (
    {folded(stage.value): stage.value for stage in Stage}
    | {"qualifiedlead": Stage.QUALIFIED.value}
    | {word: str(stage) for word, stage in _STAGE_WORDS.items()}
)

_TELLTALES = (
    ("hubspot", {"recordid", "hsobjectid", "lifecyclestage", "hsanalyticssource"}),
    ("salesforce", {"leadid", "ownerid", "hasoptedoutofemail", "leadstatus", "leadowner"}),
    ("mautic", {"dateidentified", "dateadded", "points", "lastactive", "preferredlocale"}),
)

# Words that mean something else in one system: Mautic's title is "Mr" or "Ms".
NOT_MEANT = {"mautic": frozenset({"title"})}

# What exports write where nothing is known.
UNSET_WORDS = frozenset(
    ("select", "(no value)", "[not provided]", "--none--", "#n/a", "n/a", "null", "(blank)")
)


def system_of(header: Iterable[str]) -> str:
    """The system that wrote this header, as far as its words tell; "crm" when they do not."""
    words = {folded(name) for name in header}
    for system, telltales in _TELLTALES:
        if words & telltales:
            return system
    return "crm"


def stage_of(text: str) -> str:
    """The stage that other systems call so; empty when unknown."""
    return STAGE_WORDS.get(folded(text), "")
