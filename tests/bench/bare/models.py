from django.db import models


class Row(models.Model):
    """About 500 bytes."""

    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    language = models.CharField(max_length=35)
    page_url = models.TextField()
    message = models.TextField()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.name
