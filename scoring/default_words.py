"""The words that every installation starts with; admins change them.

Another list here needs a migration that gives it to installations that exist, where nobody
touched the entry. Where a word alone would judge people too high (“chief engineer” does not
lead the company) the phrase is an entry of its own, for the longest one counts.

Titles after the levels that B2B databases use (LinkedIn's seniorities among them) and the
ranks of Korean companies; legal forms of the markets that B2B companies here sell to.
"""

# ruff: noqa: E501  one line for each meaning is easier to look through
from __future__ import annotations

from typing import Any

SENIORITIES = {
    "learner": (
        "student|intern|trainee|apprentice|working student|phd candidate|"
        "학생|학생회장|인턴|인턴사원|교육생|수습|수습사원"
    ),
    "assistant": "assistant|assistant to|secretary|receptionist|비서|어시스턴트",
    "executive": (
        "ceo|cto|cfo|coo|cio|cmo|cdo|cso|ciso|cro|cpo|chief|founder|co-founder|cofounder|owner|"
        "business owner|company owner|co-owner|president|chairman|chairwoman|managing director|"
        "general manager|managing partner|founding partner|senior partner|equity partner|general partner|"
        "geschäftsführer|geschäftsführerin|vorstand|inhaber|inhaberin|"
        "대표|대표자|대표이사|대표변호사|대표세무사|대표회계사|사장|부사장|회장|부회장|창업자|원장|총괄"
    ),
    "vice_president": "vp|svp|evp|avp|vice president|senior vice president|executive vice president",
    "director": (
        "director|head|assistant director|chief of staff|prokurist|bereichsleiter|bereichsleiterin|leiter|leiterin|"
        "이사|이사대우|상무|상무보|상무이사|전무|전무이사|본부장|실장|임원|센터장|연구소장|공장장"
    ),
    "manager": (
        "manager|assistant manager|lead|leader|team lead|supervisor|abteilungsleiter|teamleiter|"
        "teamleiterin|chief engineer|chief accountant|chief architect|chief buyer|chief product owner|"
        "팀장|부장|차장|과장|그룹장|파트장|지점장|매니저"
    ),
    "specialist": (
        "engineer|specialist|analyst|consultant|developer|expert|representative|officer|buyer|"
        "account manager|project manager|product manager|account executive|business partner|"
        "partner manager|channel manager|product owner|process owner|project owner|program owner|service owner|system owner|application owner|"
        "platform owner|solution owner|data owner|asset owner|risk owner|account owner|domain owner|"
        "lead generation|lead management|"
        "주차장|하차장|승차장|정차장|세차장|공사장|행사장|전시회장|연회장|박람회장|포장이사|영업대표|"
        "엔지니어|대리|주임|사원|선임|책임|책임자|수석|연구원|선임연구원|책임연구원|수석연구원|담당|담당자"
    ),
}
DEPARTMENTS = {
    "management": (
        "ceo|founder|co-founder|business owner|company owner|co-owner|managing director|geschäftsführer|"
        "대표|대표이사|사장|회장"
    ),
    "marketing": "marketing|cmo|brand|growth|demand generation|communications|마케팅|홍보|브랜드",
    "sales": "sales|business development|vertrieb|account executive|account manager|cro|영업|사업개발|세일즈",
    "it": "it|information technology|cio|ciso|infrastructure|security|sysadmin|전산|정보|보안|아이티",
    "engineering": (
        "engineering|engineer|development|developer|software|r&d|research|cto|automation|entwicklung|"
        "개발|연구|연구소|기술|엔지니어|설계"
    ),
    "operations": "operations|production|plant|manufacturing|coo|logistics|quality|produktion|생산|제조|공장|품질|물류",
    "procurement": "procurement|purchasing|buyer|sourcing|einkauf|구매|조달",
    "finance": "finance|cfo|controlling|accounting|treasurer|재무|회계|경리",
    "people": "hr|human resources|people|talent|recruiting|recruiter|인사|총무|채용",
    "legal": "legal|counsel|compliance|법무|준법",
    "service": "support|customer success|customer service|service|고객지원|고객|서비스",
}
INDUSTRIES = {
    "Automotive": "automotive|auto parts|automobile|cars|자동차|자동차 부품",
    "Machinery": "machinery|mechanical engineering|machine building|maschinenbau|기계",
    "Manufacturing": "manufacturing|industrial|produktion|제조|제조업",
    "Electronics": "electronics|electronic|semiconductor|semiconductors|elektronik|전자|반도체",
    "Chemicals": "chemicals|chemical|chemie|화학",
    "Pharmaceuticals": "pharma|pharmaceutical|pharmaceuticals|biotech|제약|바이오",
    "Food and beverage": "food|food & beverage|beverages|lebensmittel|식품|음료",
    "Logistics": "logistics|transport|transportation|shipping|logistik|물류|운송",
    "Energy": "energy|utilities|oil & gas|renewables|energie|에너지|전력",
    "Construction": "construction|real estate|bau|건설|부동산",
    "Financial services": "financial services|banking|bank|insurance|finance|fintech|금융|은행|보험",
    "Software": "software|saas|information technology|it services|소프트웨어|정보기술",
    "Telecommunications": "telecommunications|telecom|telco|통신",
    "Healthcare": "healthcare|health care|hospital|medical|의료|병원",
    "Education": "education|university|school|교육|대학교",
    "Retail": "retail|e-commerce|wholesale|handel|유통|소매",
    "Government": "government|public sector|defence|defense|공공|정부|국방",
}
LEGAL_FORMS = (
    "GmbH & Co. KG|GmbH|mbH|AG|SE|KG|KGaA|OHG|UG|e.K.|Inc.|Incorporated|Corp.|Corporation|LLC|L.L.C.|LLP|LP|"
    "Ltd.|Limited|PLC|Co.|Company|Co., Ltd.|Co. Ltd.|Pte. Ltd.|Pvt. Ltd.|Pty. Ltd.|S.A.|SA|S.A.S.|SAS|SARL|"
    "S.r.l.|SRL|S.p.A.|SpA|B.V.|BV|N.V.|NV|AB|A/S|ApS|AS|Oy|Sp. z o.o.|s.r.o.|K.K.|株式会社|有限公司"
)
# These stand in front of a name as well as behind it.
LEADING_LEGAL_FORMS = (
    "주식회사|(주)|㈜|유한회사|(유)|유한책임회사|합자회사|합명회사|재단법인|사단법인|株式会社"
)
SHARED_MAILBOXES = (
    "info|information|sales|support|contact|kontakt|office|hello|hi|mail|email|admin|administrator|webmaster|"
    "postmaster|hostmaster|marketing|press|media|pr|billing|accounts|accounting|invoice|invoices|finance|"
    "orders|order|service|help|helpdesk|team|hr|jobs|careers|career|recruiting|privacy|legal|compliance|"
    "abuse|security|noreply|no-reply|newsletter|feedback|enquiries|inquiries|reception|purchasing|"
    "procurement|einkauf|vertrieb|bewerbung|buchhaltung|webinfo|master|cs"
)


def write_first_words(title: Any, industry: Any, form: Any, mailbox: Any) -> None:
    """Create the first entries. The arguments are the models' managers."""
    meant: dict[str, dict[str, str]] = {}
    for column, table in (("seniority", SENIORITIES), ("department", DEPARTMENTS)):
        for value, words in table.items():
            for word in words.split("|"):
                meant.setdefault(word, {})[column] = value
    title.bulk_create(title.model(word=word, **columns) for word, columns in meant.items())
    industry.bulk_create(
        industry.model(word=word, industry=name)
        for name, words in INDUSTRIES.items()
        for word in words.split("|")
    )
    leading = LEADING_LEGAL_FORMS.split("|")
    forms = dict.fromkeys([f.lower() for f in LEGAL_FORMS.split("|")] + leading)
    form.bulk_create(form.model(word=word, may_lead=word in leading) for word in forms)
    mailbox.bulk_create(mailbox.model(word=word) for word in SHARED_MAILBOXES.split("|"))
