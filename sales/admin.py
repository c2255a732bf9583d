from django.contrib import admin

from sales.forms import ProductForm
from sales.models import Product, RejectReason
from sales.products import rename_product


@admin.register(RejectReason)
class RejectReasonAdmin(admin.ModelAdmin):
    list_display = ("label", "code", "leads_to", "recycle_days", "is_active", "position")
    list_editable = ("leads_to", "recycle_days", "is_active", "position")
    search_fields = ("label", "code")

    def get_readonly_fields(self, request, obj=None):
        """Reports group by the code, so it stays once it is in use."""
        return ("code",) if obj else ()


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    list_display = ("name", "is_active")
    list_editable = ("is_active",)
    search_fields = ("name",)

    def save_model(self, request, obj, form, change):
        rename_product(obj)
