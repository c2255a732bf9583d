"""The catalogue: one row per product, however people spell it."""

from __future__ import annotations

from sales.models import Product


def normalise_name(name: str) -> str:
    """Letters and digits only, lower-case: "GTX Pro", "GTXPro" and "gtx-pro" are the same."""
    return "".join(filter(str.isalnum, name.casefold()))[:100]


def find_product(name: str) -> Product | None:
    """The product of the catalogue that is spelled like `name`, spaces and case aside."""
    return Product.objects.filter(normalised_name=normalise_name(name)).first()


def ensure_product(name: str) -> Product:
    """The product of that name, added to the catalogue if it is new. `name` needs a letter."""
    product, _was_new = Product.objects.get_or_create(
        normalised_name=normalise_name(name), defaults={"name": name.strip()[:100]}
    )
    return product


def rename_product(product: Product) -> None:
    """Save a product that an admin has edited, its spelling for matching along with it."""
    product.normalised_name = normalise_name(product.name)
    product.save()
