"""What people and companies are called, by country."""

from __future__ import annotations

_GERMAN_FIRST = (
    "Anna Ben Clara David Eva Felix Greta Hannes Ida Jan Katrin Lukas Maren Nils Petra Ralf "
    "Sabine Stefan Tanja Uwe Jonas Miriam Holger Silke Markus Birgit Torsten Lena Matthias Heike"
)
_GERMAN_LAST = (
    "Albrecht Brandt Dietrich Engel Fuchs Graf Hartmann Jansen Keller Lorenz Maurer Neumann Otto "
    "Pohl Richter Schreiber Thiel Ulrich Vogel Winter Ziegler Berger Kraus Seidel Haas Busch Kuhn "
    "Böhm Schütz Köhler"
)
_KOREAN_FIRST = (
    "Min-jun Seo-yeon Ji-ho Ha-eun Do-yun Ji-woo Hyun-woo Su-bin Jun-seo Ye-jin Seung-min Eun-ji "
    "Tae-yang Yu-na Dong-hyun So-young Sang-hoon Hye-jin Young-ho Mi-kyung Jae-won Bo-ram"
)
_KOREAN_LAST = (
    "Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song Ryu Hong "
    "Jeon Moon Yang Bae Baek Heo Nam Noh"
)
_ENGLISH_FIRST = (
    "Amelia Brian Carol Daniel Emily Frank Grace Harold Isla James Kelly Liam Megan Nathan Olivia "
    "Paul Rachel Scott Teresa Victor Wendy Aaron Denise Gregory Hannah Kevin Laura Marcus Priya Tom"
)
_ENGLISH_LAST = (
    "Adams Baker Carter Dawson Ellis Foster Graham Hughes Irving Jenkins Lawson Mitchell Norris "
    "Osborne Palmer Reed Sutton Turner Walker Young Bennett Coleman Hayes Keane Morton Patel "
    "Sanders Thornton Webb Whitaker"
)
_FRENCH_FIRST = (
    "Amélie Bruno Camille Didier Élise Fabien Hélène Julien Karine Laurent Manon Nicolas Océane "
    "Pascal Sophie Thierry Valérie Yves Céline Mathieu Nathalie Olivier"
)
_FRENCH_LAST = (
    "Arnaud Bernard Chevalier Dubois Faure Girard Henry Joly Lambert Marchand Morel Noël Perrin "
    "Renard Rousseau Simon Texier Vidal Blanchard Caron Fontaine Mercier"
)
_DUTCH_FIRST = (
    "Anouk Bas Daan Esther Femke Gijs Hanneke Joost Kees Lotte Maarten Noor Pieter Roos Sander "
    "Tess Willem Marieke Jeroen Ilse"
)
_DUTCH_LAST = (
    "Bakker Dekker Visser Smit Mulder Bos Vos Hendriks Dijkstra Kuipers Peters Meijer Kok Jacobs "
    "Maas Verhoeven Koster Willems Postma Schouten"
)
_SOUTHERN_FIRST = (
    "Alessia Bruno Carlos Daniela Elena Fabio Giulia Hugo Irene Javier Laura Marco Nuria Paolo "
    "Raquel Sergio Teresa Valentina Luca Marta"
)
_SOUTHERN_LAST = (
    "Bianchi Conti Costa Ferrari Gallo Greco Marino Ricci Romano Serra Alonso Blanco Castro "
    "Delgado Fuentes Herrero Molina Navarro Ortega Vega"
)
_NORDIC_FIRST = (
    "Agnes Björn Elsa Fredrik Gustav Ingrid Jens Karin Lars Maja Nils Oskar Sigrid Tove Viktor "
    "Astrid Henrik Liv"
)
_NORDIC_LAST = (
    "Andersson Berg Dahl Eriksson Forsberg Hansen Holm Johansson Karlsson Lind Lund Nilsson Nyberg "
    "Olsen Sandberg Strand Wikström Åberg"
)
_JAPANESE_FIRST = (
    "Aiko Daichi Emi Haruto Kenji Mika Naoki Rin Satoshi Yui Takumi Yoko Hiroshi Akari"
)
_JAPANESE_LAST = (
    "Abe Fujita Hayashi Inoue Kato Kimura Matsuda Mori Nakamura Ogawa Saito Sato Shimizu Tanaka "
    "Ueda Yamada"
)

_GROUPS = {
    "german": (_GERMAN_FIRST, _GERMAN_LAST),
    "korean": (_KOREAN_FIRST, _KOREAN_LAST),
    "english": (_ENGLISH_FIRST, _ENGLISH_LAST),
    "french": (_FRENCH_FIRST, _FRENCH_LAST),
    "dutch": (_DUTCH_FIRST, _DUTCH_LAST),
    "southern": (_SOUTHERN_FIRST, _SOUTHERN_LAST),
    "nordic": (_NORDIC_FIRST, _NORDIC_LAST),
    "japanese": (_JAPANESE_FIRST, _JAPANESE_LAST),
}
PEOPLE = {group: (first.split(), last.split()) for group, (first, last) in _GROUPS.items()}

# Places that companies are called after.
_PLACES = {
    "german": (
        "Alster Isar Neckar Harz Elbe Spree Weser Taunus Ruhr Allgäu Donau Eifel Franken Hansa "
        "Rhein Saale Schwaben Westfalen Chiemgau Lausitz Mosel Oder Pfalz Siegerland Vogtland"
    ),
    "korean": (
        "Hanbit Daesung Saehan Dongbu Hanseo Geumsan Jinsung Miraen Taeyang Samjin Haneul Cheongho "
        "Seojin Woori Namkang Donghwa Hyosan Kyungin Sungwoo Ilshin Baekdu Chorok Daejin Hansol "
        "Shinsung Youngjin Kumgang Sejin Dongil Hanil Jeil Myungsung Yujin Daewon Taesan Boseong"
    ),
    "english": (
        "Lakeside Pennine Granite Summit Redwood Harbour Ironbridge Prairie Cascade Keystone "
        "Northfield Silverline Mersey Tideway Oakhurst Stonegate Westbrook Clearwater Fairmont"
    ),
    "french": (
        "Ardennes Bourgogne Cévennes Garonne Jura Loire Lyonnais Marne Médoc Picardie Savoie "
        "Touraine Vendée Vosges Provence Rhône"
    ),
    "dutch": (
        "Amstel Betuwe Delft Gouwe Kennemer Leuven Maas Noord Peel Scheldt Twente Utrecht Veluwe "
        "Waal Zeeland"
    ),
    "southern": (
        "Adriatica Brianza Ebro Emiliana Garda Ligure Levante Montseny Padana Ribera Tajo Toscana "
        "Veneta Norte"
    ),
    "nordic": (
        "Aurora Fjord Kattegat Malmö Nordlys Polar Skåne Svea Tromsø Uppland Vänern Öresund"
    ),
    "japanese": (
        "Asahi Chubu Fuji Hokuto Kansai Midori Nagoya Sakura Shinwa Tokai Yamato Kyowa Meiwa Seiko "
        "Hinode Akebono Minato Kitahama"
    ),
}
# Outside Korea companies are called after families, too.
COMPANY_WORDS = {
    group: words.split() + ([] if group == "korean" else PEOPLE[group][1])
    for group, words in _PLACES.items()
}
COMPANY_TAILS = (
    "", "Group", "International", "Industries", "Technologies", "Works", "Systems", "Solutions",
    "Holding", "Global", "Components", "Engineering", "Manufacturing", "Products", "Services",
    "Supply", "Plants", "Labs", "Enterprises", "Company",
)  # fmt: skip

_PLAIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ê": "e", "ë": "e"}
    | {"à": "a", "å": "aa", "ø": "oe", "ç": "c", "ô": "o", "î": "i", "É": "e", "Å": "aa"}
    | {"Ö": "oe", "Ä": "ae", "Ü": "ue", "Ø": "oe", "æ": "ae"}
)


def plain(text: str) -> str:
    """The lower-case ASCII letters, digits and hyphens of `text`, as in an address."""
    kept = text.translate(_PLAIN).lower().replace(" ", "-").replace("&", "")
    return "".join(c for c in kept if c.isascii() and (c.isalnum() or c == "-")).strip("-")
