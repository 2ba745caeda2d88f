from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiDocs(SpectacularSwaggerSplitView):
    """The API to read and to try, with nothing inline: the pages' Content-Security-Policy holds here too."""

    url_name = "api-schema"
    template_name = "config/api_docs.html"
