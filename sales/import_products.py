"""Products by name, as the catalogue tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leads.imports.interpret import Record
from leads.imports.notes import Note
from leads.imports.targets import Context, Outcome, RowPlan
from sales.models import Product
from sales.products import normalise_name


class Catalogue:
    """The products that rows name, looked up once, however they are spelled."""

    def __init__(self) -> None:
        self._known: dict[str, Product | None] = {}

    def load(self, names: Iterable[str]) -> None:
        unknown = {normalise_name(name) for name in names} - self._known.keys()
        if unknown:
            products = Product.objects.filter(normalised_name__in=unknown)
            self._known |= dict.fromkeys(unknown)
            self._known |= {product.normalised_name: product for product in products}

    def find(self, name: str) -> tuple[Product | None, Note | None]:
        """(the product, what there is to say about its spelling)."""
        product = self._known.get(normalise_name(name))
        if product is None:
            return None, Note("product_unknown", {"value": name})
        if product.name != name:
            return product, Note("product_spelling", {"value": name, "known": product.name})
        return product, None

    def add(self, product: Product) -> None:
        self._known[product.normalised_name] = product


class ProductPlanner:
    """Adds what the catalogue does not have yet; never renames what it has."""

    def __init__(self, context: Context) -> None:
        self.catalogue = Catalogue()
        self._new: list[Product] = []

    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        self.catalogue.load(r.values["name"] for r in records if "name" in r.values)
        return [self._plan_row(record) for record in records]

    def apply(self) -> None:
        Product.objects.bulk_create(self._new)
        self._new.clear()

    def _plan_row(self, record: Record) -> RowPlan:
        row = RowPlan(record.number, record.line, notes=list(record.notes))
        name = record.values.get("name", "")
        if not normalise_name(name):
            row.notes.append(Note("no_name"))
        if row.is_failed:
            row.outcome = Outcome.FAILED
            return row
        row.subject, note = self.catalogue.find(name)
        if row.subject is None:
            row.subject = Product(name=name, normalised_name=normalise_name(name))
            row.outcome = Outcome.CREATED
            self.catalogue.add(row.subject)
            self._new.append(row.subject)
        elif note is not None:
            row.notes.append(note)
        return row
